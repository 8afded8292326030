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
    /// Those of a scope, whose tenant is admitted once more: it may have been suspended since, or its rows have been moved.
    pub(crate) fn of(scope: &Scope, admission: Option<&Admission>) -> Result<(Self, Scope), ScopeError> {
        let scope = match admission {
            Some(admission) => admission.admit_again(scope).map_err(ScopeError::NotAdmitted)?,
            None => scope.clone(),
        };
        match &scope.tenant().placement {
            Placement::Shared => Ok((Self::Shared, scope)),
            Placement::Dedicated => Ok((Self::Dedicated, scope)),
            other => Err(ScopeError::Placement { tenant: scope.slug().clone(), placement: other.as_str() }),
        }
    }
}
