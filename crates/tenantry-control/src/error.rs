//! Why a verb does not do what it was asked.

use tenantry_core::{CatalogError, Code, PlanName, Refusal, Slug};
use thiserror::Error;

/// Why a verb did not do what it was asked. Nothing has changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerbError {
    /// The catalog declines, or does not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It is on its way out.
    #[error("{tenant} is being deleted")]
    Deleting {
        /// The tenant.
        tenant: Slug,
    },
    /// Its time is up, so that it would not be served whatever its status says.
    #[error("the time of {tenant} is up")]
    Expired {
        /// The tenant.
        tenant: Slug,
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
    /// The time that its end would be moved to cannot be told by any clock.
    #[error("{tenant} would have longer than there is time")]
    TooLong {
        /// The tenant.
        tenant: Slug,
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
            Self::Catalog(error) => error.code(),
            Self::Deleting { .. } => Code::TenantDeleting,
            Self::Expired { .. } => Code::TenantExpired,
            Self::PlanUnknown { .. } => Code::PlanUnknown,
            Self::Provisioning { .. } => Code::TenantProvisioning,
            Self::TooLong { .. } => Code::RequestMalformed,
            Self::Unknown { .. } => Code::TenantUnknown,
        }
    }
}

impl From<VerbError> for Refusal {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::Catalog(error) => error.into(),
            other => Self::new(other.code()).because(other.to_string()),
        }
    }
}
