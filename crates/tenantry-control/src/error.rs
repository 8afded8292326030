//! Why a verb does not do what it was asked.

use std::error::Error;

use tenantry_core::{BoxError, CatalogError, Code, LedgerError, OperationId, Placement, PlanName, Refusal, Slug};
use thiserror::Error;

use crate::archive::ArchiveError;

/// Why a verb did not do what it was asked. Nothing has changed, but for [`VerbError::Unfinished`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerbError {
    /// A tenant cannot become a file.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The catalog declines, or does not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It was another one before all of it was read.
    #[error(
        "{tenant} was moved, reset or erased meanwhile, so that not all of it may be in the archive; export it again"
    )]
    Changed {
        /// The tenant.
        tenant: Slug,
    },
    /// It is on its way out.
    #[error("{tenant} is being deleted")]
    Deleting {
        /// The tenant.
        tenant: Slug,
    },
    /// It is to be kept for longer.
    #[error("{tenant} may be erased from {erase_at} on")]
    EraseLater {
        /// The tenant.
        tenant: Slug,
        /// From when on, in UTC.
        erase_at: String,
    },
    /// Its time is up, so that it would not be served whatever its status says.
    #[error("the time of {tenant} is up")]
    Expired {
        /// The tenant.
        tenant: Slug,
    },
    /// What an operation needs to know cannot be written down.
    #[error("the operation {verb} cannot be written to the ledger")]
    Input {
        /// The verb.
        verb: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// Another operation is being done to the tenant, or the ledger does not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its rows are where those of others are.
    #[error("the rows of {tenant} are in the shared tables, which are migrated for all tenants at once")]
    NotDedicated {
        /// The tenant.
        tenant: Slug,
    },
    /// Nobody has said which migrations the application has.
    #[error("this deployment does not know the application's migrations: database.migrations is to name their folder")]
    NotMigratable,
    /// There are no rows that could be moved.
    #[error("this deployment cannot move rows from one placement to the other")]
    NotMovable,
    /// There is nothing that could go into an archive.
    #[error("this deployment cannot write and read archives")]
    NotPortable,
    /// Only what is marked as deleting can be erased.
    #[error("{tenant} is not marked as deleting, so it cannot be erased")]
    NotDeleting {
        /// The tenant.
        tenant: Slug,
    },
    /// It was not made from a template.
    #[error("{tenant} has no template that it could be reset to")]
    NoTemplate {
        /// The tenant.
        tenant: Slug,
    },
    /// A later version of Tenantry began the operation.
    #[error("operation {id} ({verb}) was begun by another version of Tenantry; go on with it with that version")]
    OperationUnknown {
        /// The verb.
        verb: String,
        /// The operation.
        id: OperationId,
    },
    /// The configuration has no such plan.
    #[error("no plan is called {plan}")]
    PlanUnknown {
        /// The name that was given.
        plan: PlanName,
        /// The plans that there are, in the order of the alphabet.
        known: Vec<PlanName>,
    },
    /// It is not ready yet.
    #[error("{tenant} is being prepared")]
    Provisioning {
        /// The tenant.
        tenant: Slug,
    },
    /// The system has no random numbers, which make the name that a worker has.
    #[error("the system has no random numbers")]
    Random {
        /// Why.
        source: getrandom::Error,
    },
    /// Its rows are there already.
    #[error("{tenant} has the placement {placement} already")]
    SamePlacement {
        /// The tenant.
        tenant: Slug,
        /// Where its rows are.
        placement: Placement,
    },
    /// The shared tables could not be migrated, or looked at.
    #[error("the shared tables cannot be migrated, and nothing was done to databases of tenants' own")]
    Schema {
        /// Which migration, and what the database said.
        source: BoxError,
    },
    /// The time that its end would be moved to, or the end of what it has, is in no calendar.
    #[error("{tenant} would have time until after the year 9999, which no calendar has; give it less")]
    TooLong {
        /// The tenant.
        tenant: Slug,
    },
    /// A step has failed, and what had been done is undone.
    #[error("{verb} of {tenant} has failed, and everything is as it was before: {problem}")]
    Undone {
        /// The operation.
        id: OperationId,
        /// The verb.
        verb: String,
        /// The tenant.
        tenant: Slug,
        /// Why.
        problem: String,
    },
    /// A step has failed, and the operation is to be gone on with.
    #[error("{verb} of {tenant} is unfinished, and is gone on with the next time (operation {id}): {problem}")]
    Unfinished {
        /// The operation.
        id: OperationId,
        /// The verb.
        verb: String,
        /// The tenant.
        tenant: Slug,
        /// Why.
        problem: String,
    },
    /// A step would fail, as far as a dry run can know.
    #[error("{verb} of {tenant} would fail: {problem}")]
    WouldFail {
        /// The verb.
        verb: &'static str,
        /// The tenant.
        tenant: Slug,
        /// Why.
        problem: String,
    },
    /// No tenant has this name.
    #[error("no tenant is called {tenant}")]
    Unknown {
        /// The name that was given.
        tenant: Slug,
    },
}

impl VerbError {
    /// The code of the refusal that this is.
    pub fn code(&self) -> Code {
        match self {
            Self::Archive(error) => error.code(),
            Self::Catalog(error) => error.code(),
            Self::Changed { .. } => Code::TenantChanged,
            Self::Deleting { .. } | Self::EraseLater { .. } => Code::TenantDeleting,
            Self::Expired { .. } => Code::TenantExpired,
            Self::Input { .. }
            | Self::Random { .. }
            | Self::OperationUnknown { .. }
            | Self::Undone { .. }
            | Self::Unfinished { .. }
            | Self::WouldFail { .. } => Code::OperationFailed,
            Self::Ledger(LedgerError::Catalog(error)) => error.code(),
            Self::Ledger(_) => Code::OperationRunning,
            Self::NoTemplate { .. }
            | Self::NotDedicated { .. }
            | Self::NotDeleting { .. }
            | Self::NotMigratable
            | Self::NotMovable
            | Self::NotPortable
            | Self::SamePlacement { .. } => Code::RequestMalformed,
            Self::PlanUnknown { .. } => Code::PlanUnknown,
            Self::Provisioning { .. } => Code::TenantProvisioning,
            Self::Schema { .. } => Code::MigrationFailed,
            Self::TooLong { .. } => Code::RequestMalformed,
            Self::Unknown { .. } => Code::TenantUnknown,
        }
    }
}

/// An error and what led to it, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        // Some libraries put the cause into the error's own text too.
        if !text.ends_with(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        cause = error.source();
    }
    text
}

impl From<VerbError> for Refusal {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::Catalog(error) | VerbError::Ledger(LedgerError::Catalog(error)) => error.into(),
            other => Self::new(other.code()).because(other.to_string()),
        }
    }
}
