//! Settings, in the records of a catalog.

use proptest::{
    prelude::ProptestConfig,
    test_runner::{TestCaseError, TestRunner},
};
use tenantry_test::resources::{
    World,
    settings::{differs, settings, steps},
};

#[tokio::test]
async fn settings_do_what_they_have_to() {
    settings(&World::new().await).await;
}

#[test]
fn the_settings_of_two_tenants_are_two_worlds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() });
    let run =
        runner.run(&steps(), |steps| match runtime.block_on(async { differs(&World::new().await, &steps).await }) {
            Some(difference) => Err(TestCaseError::fail(difference)),
            None => Ok(()),
        });
    run.unwrap();
}
