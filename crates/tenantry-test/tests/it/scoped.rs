//! Shared tables, as Tenantry keeps them, against a private database.
//!
//! Environment: `TENANTRY_TEST_STATEMENTS` (1,000), `TENANTRY_TEST_SEED` (1).

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tenantry_test::{Difference, Oracle, Private, Report, Schema, Scoped, Setting, Shared, generate, noise, standard};
use tokio::runtime::Runtime;

/// How many statements a script has.
const LEN: usize = 30;

/// The standard schema on shared tables, with everybody's rows.
pub(crate) struct World {
    pub(crate) schema: Arc<Schema>,
    rows: noise::World,
    pub(crate) setting: Setting,
    pub(crate) runtime: Runtime,
    report: RefCell<Report>,
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (rows, setting, schema) = runtime.block_on(async {
            let rows = noise::world(standard::STATEMENTS).await.unwrap();
            let setting = Setting::new(standard::STATEMENTS, &rows).await.unwrap();
            let mut private = Private::open(standard::STATEMENTS, &[]).await.unwrap();
            (rows, setting, Schema::read(private.connection()).await.unwrap())
        });
        Self { schema: Arc::new(schema), rows, setting, runtime, report: RefCell::default() }
    }

    /// Runs a script on both sides, each time on the same rows.
    pub(crate) fn check(&self, script: &[generate::Statement]) -> Result<(), Box<Difference>> {
        self.check_with(script, |scoped| scoped)
    }

    /// The same with something in the place of the shared side.
    pub(crate) fn check_with<S: Shared>(
        &self,
        script: &[generate::Statement],
        instead: impl Fn(Scoped) -> S,
    ) -> Result<(), Box<Difference>> {
        self.runtime.block_on(async {
            let scoped = instead(self.setting.scoped().await.unwrap());
            let mut oracle = Oracle::new(standard::STATEMENTS, &self.rows.own, scoped).await.unwrap();
            for statement in script {
                if oracle.check(statement).await?.is_last() {
                    break;
                }
            }
            self.report.borrow_mut().add(oracle.report());
            Ok(())
        })
    }
}

#[test]
fn a_tenant_on_shared_tables_cannot_tell() {
    let wanted = number("TENANTRY_TEST_STATEMENTS", 1000);
    let world = World::new();
    let (scripts, first) = (generate::script(&world.schema, LEN), Cell::new(true));
    let found = runner(wanted).run(&scripts, |script| {
        world.check(&script).map_err(|difference| {
            // What it becomes when it gets smaller may be something that SQLite is free to choose.
            if first.replace(false) {
                println!("found first: {difference}");
            }
            TestCaseError::fail(difference.to_string())
        })
    });
    let report = world.report.into_inner();
    println!("{report}");
    match found {
        Ok(()) => {}
        Err(TestError::Fail(difference, script)) => {
            let script: String = script.iter().map(|statement| statement.text() + ";\n").collect();
            panic!("{difference}\nof the script\n{script}")
        }
        Err(error) => panic!("{error}"),
    }
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

pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
