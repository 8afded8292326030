//! Shared tables, as Tenantry keeps them, against a private database.
//!
//! Environment: `TENANTRY_TEST_STATEMENTS` (1,000), `TENANTRY_TEST_SEED` (1).

use std::{cell::RefCell, sync::Arc};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tenantry_test::{Difference, Oracle, Private, Report, Schema, Setting, Verdict, generate, noise, standard};

/// How many statements a script has.
const LEN: usize = 30;

#[test]
fn a_tenant_on_shared_tables_cannot_tell() {
    let wanted = number("TENANTRY_TEST_STATEMENTS", 1000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (world, setting, schema) = runtime.block_on(async {
        let world = noise::world(standard::STATEMENTS).await.unwrap();
        let setting = Setting::new(standard::STATEMENTS, &world).await.unwrap();
        let mut private = Private::open(standard::STATEMENTS, &[]).await.unwrap();
        (world, setting, Schema::read(private.connection()).await.unwrap())
    });
    let report = RefCell::new(Report::default());
    let check = async |script: &[generate::Statement]| -> Result<(), Box<Difference>> {
        let scoped = setting.scoped().await.unwrap();
        let mut oracle = Oracle::new(standard::STATEMENTS, &world.own, scoped).await.unwrap();
        for statement in script {
            if oracle.check(statement).await? == Verdict::Parted {
                break;
            }
        }
        report.borrow_mut().add(oracle.report());
        Ok(())
    };
    let scripts = generate::script(&Arc::new(schema), LEN);
    let found = runner(wanted).run(&scripts, |script| {
        let checked = runtime.block_on(check(&script));
        checked.map_err(|difference| TestCaseError::fail(difference.to_string()))
    });
    println!("{}", report.borrow());
    match found {
        Ok(()) => {}
        Err(TestError::Fail(difference, script)) => {
            let script: String = script.iter().map(|statement| statement.text() + ";\n").collect();
            panic!("{difference}\nof the script\n{script}")
        }
        Err(error) => panic!("{error}"),
    }
    let report = report.into_inner();
    assert!(report.statements >= wanted);
    let refused: usize = report.refused.values().sum();
    assert!(refused * 100 <= report.statements * 5, "{report}");
}

fn runner(statements: usize) -> TestRunner {
    let seed = u8::try_from(number("TENANTRY_TEST_SEED", 1) % 256).unwrap();
    let cases = u32::try_from(statements.div_ceil(LEN / 2)).unwrap();
    let config = Config { cases, max_shrink_iters: 2000, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
