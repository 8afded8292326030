//! Caches: in memory, and on Redis.

use proptest::{
    prelude::ProptestConfig,
    test_runner::{TestCaseError, TestRunner},
};
use tenantry_resource::cache::{Cache, CacheLimits, MemoryOptions};
use tenantry_test::resources::cache::{actions, cache, differs};

fn in_memory() -> Cache {
    Cache::in_memory(CacheLimits::default(), MemoryOptions::default())
}

#[tokio::test]
async fn in_memory_a_cache_does_what_it_has_to() {
    cache(in_memory).await.unwrap();
}

#[test]
fn in_memory_two_tenants_are_two_worlds() {
    two_worlds(in_memory);
}

#[cfg(feature = "redis")]
fn on_redis() -> Cache {
    Cache::on_redis(CacheLimits::default(), tenantry_test::resources::redis::shared().unwrap())
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn on_redis_a_cache_does_what_it_has_to() {
    cache(on_redis).await.unwrap();
}

#[cfg(feature = "redis")]
#[test]
fn on_redis_two_tenants_are_two_worlds() {
    two_worlds(on_redis);
}

fn two_worlds(make: impl Fn() -> Cache) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let run = runner.run(&actions(), |actions| {
        let differs = runtime.block_on(async { differs(&make(), &actions).await });
        match differs.map_err(|error| TestCaseError::fail(error.to_string()))? {
            Some(difference) => Err(TestCaseError::fail(difference)),
            None => Ok(()),
        }
    });
    run.unwrap();
}
