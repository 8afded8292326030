//! Shared tables on PostgreSQL, against a private database.
//!
//! Environment: `TENANTRY_TEST_STATEMENTS` (1,000), `TENANTRY_TEST_SEED` (1).

use std::cell::Cell;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tenantry_test::{
    generate::Feature,
    postgres::{Planner, Walls, generate},
};

use super::World;
use crate::scoped::number;

/// How many statements a script has.
const LEN: usize = 20;

#[test]
fn a_tenant_on_shared_tables_of_postgres_cannot_tell() {
    let wanted = number("TENANTRY_TEST_STATEMENTS", 1000);
    let world = World::new(Walls::RowSecurity, Planner::new());
    let first = Cell::new(true);
    let found = runner(wanted).run(&generate::script(LEN), |script| {
        world.check(&script).map_err(|difference| {
            if first.replace(false) {
                println!("found first: {difference}");
            }
            TestCaseError::fail(difference.to_string())
        })
    });
    let oracle = world.oracle.into_inner();
    let report = oracle.report();
    println!("{report}");
    match found {
        Ok(()) => {}
        Err(TestError::Fail(difference, script)) => {
            let script: String = script.iter().map(|statement| statement.dollar_text() + ";\n").collect();
            panic!("{difference}\nof the script\n{script}")
        }
        Err(error) => panic!("{error}"),
    }
    assert!(report.statements >= wanted);
    let not_accepted: usize = report.not_accepted.values().sum();
    assert!(not_accepted * 100 <= report.statements * 5, "{report}");
    assert!(report.ran * 100 >= report.statements * 60 && report.with_rows * 100 >= report.statements * 30, "{report}");
    assert!(report.all_refused() * 100 <= report.statements * 5, "{report}");
    assert!((report.undetermined + report.too_expensive) * 100 <= report.statements * 5, "{report}");
    for feature in Feature::POSTGRES {
        assert!(report.features.contains_key(feature), "{feature:?} never occurs");
    }
}

pub(crate) fn runner(statements: usize) -> TestRunner {
    let seed = u8::try_from(number("TENANTRY_TEST_SEED", 1) % 256).unwrap();
    let cases = u32::try_from(statements.div_ceil(LEN)).unwrap();
    let config = Config { cases, max_shrink_iters: 800, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}
