//! The oracle for PostgreSQL.

mod agreement;
mod differential;
mod hostile;
#[cfg(feature = "mutants")]
mod mutants;
mod walls;

use std::cell::RefCell;

use tenantry_test::{
    generate::Statement,
    postgres::{Difference, Oracle, Planner, Setting, Walls},
};
use tokio::runtime::Runtime;

/// The databases, and an oracle on them.
pub(crate) struct World {
    runtime: Runtime,
    // Before the databases, which are dropped after it.
    oracle: RefCell<Oracle>,
    _setting: Setting,
}

impl World {
    /// `planner` makes the plans for the shared side.
    pub(crate) fn new(walls: Walls, planner: Planner) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (setting, oracle) = runtime.block_on(async {
            let setting = Setting::new(walls).await.unwrap();
            let oracle = Oracle::new(&setting, planner, Planner::new()).await.unwrap();
            (setting, oracle)
        });
        Self { runtime, oracle: RefCell::new(oracle), _setting: setting }
    }

    pub(crate) fn check(&self, script: &[Statement]) -> Result<(), Box<Difference>> {
        self.runtime.block_on(self.oracle.borrow_mut().check(script))
    }
}
