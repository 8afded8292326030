//! Where a tenant's rows are.

use tenantry_core::{Admission, Placement, Scope};

use super::ScopeError;

/// Where a tenant's rows are, among the databases of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// In the tables that tenants share.
    Shared,
    /// In a database of the tenant's own.
    Dedicated,
}

impl Rows {
    /// Those of a scope, whose tenant is admitted once more: it may have been suspended since.
    pub(crate) fn of(scope: &Scope, admission: Option<&Admission>) -> Result<Self, ScopeError> {
        if let Some(admission) = admission {
            admission.admit_id(scope.id()).map_err(ScopeError::NotAdmitted)?;
        }
        match &scope.tenant().placement {
            Placement::Shared => Ok(Self::Shared),
            Placement::Dedicated => Ok(Self::Dedicated),
            other => Err(ScopeError::Placement { tenant: scope.slug().clone(), placement: other.as_str() }),
        }
    }
}
