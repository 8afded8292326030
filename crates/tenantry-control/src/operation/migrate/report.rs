//! What became of each.

use std::fmt;

use tenantry_core::{OperationId, Slug};

/// What a rollout has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledOut {
    /// How many migrations the shared tables have got.
    pub shared: u64,
    /// What became of each tenant's own database.
    pub tenants: Vec<(Slug, Migrated)>,
    /// Why it stopped before its end, if it did.
    pub paused: Option<Pause>,
}

/// What became of a tenant's own database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Migrated {
    /// Something else is being done to the tenant. The next call finds it again.
    Busy {
        /// What.
        why: String,
    },
    /// It is up to date now.
    Done {
        /// The entry in the ledger.
        operation: OperationId,
        /// How many migrations that took.
        migrations: u64,
    },
    /// A migration has failed. What it had done is undone, and the tenant works as before.
    Failed {
        /// The entry in the ledger.
        operation: OperationId,
        /// Which one, and what the database said.
        problem: String,
    },
    /// The tenant was removed meanwhile.
    Gone,
    /// There is none yet. It is made with all migrations when the tenant is first served.
    NoDatabase,
    /// It stopped before.
    NotReached,
    /// It was up to date before.
    UpToDate,
}

impl Migrated {
    /// The word for it, as shown.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Done { .. } => "migrated",
            Self::Failed { .. } => "failed",
            Self::Gone => "gone",
            Self::NoDatabase => "no database",
            Self::NotReached => "not reached",
            Self::UpToDate => "up to date",
        }
    }
}

/// Why a rollout stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pause {
    /// One that was to prove the migrations did not.
    Canary {
        /// The tenant.
        tenant: Slug,
        /// Why.
        why: String,
    },
    /// Too many have failed.
    Failures {
        /// So many.
        failed: u64,
        /// Of so many that were tried.
        tried: u64,
        /// Of which so many in a hundred may fail.
        percent_max: u8,
    },
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canary { tenant, why } => write!(f, "the canary {tenant} was not migrated: {why}"),
            Self::Failures { failed, tried, percent_max } => write!(
                f,
                "{failed} of {tried} have failed, which is more than the {percent_max} % of migrate.failure_percent_max"
            ),
        }
    }
}

/// One more has been reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached<'a> {
    /// The tenant.
    pub tenant: &'a Slug,
    /// What became of its database.
    pub outcome: &'a Migrated,
    /// How many have been reached.
    pub reached: usize,
    /// Of how many that need it.
    pub total: usize,
}
