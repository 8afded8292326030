//! Scopes for tests, from a real admission.

use std::sync::Arc;

use tenantry_core::{Admission, Mirror, Plans, Revision, Scope, Tenant, TenantId};

/// The scope of the tenant `t<id>`.
pub(crate) fn scope(id: i64) -> Scope {
    scope_at(id, 1)
}

/// The same, for a later record of the tenant.
pub(crate) fn scope_at(id: i64, revision: i64) -> Scope {
    let slug = format!("t{id}").parse().unwrap();
    let mut tenant = Tenant::new(TenantId::new(id), slug);
    tenant.revision = Revision::new(revision);
    Admission::new(Arc::new(Mirror::from_iter([tenant])), Plans::default()).admit_id(TenantId::new(id)).unwrap()
}
