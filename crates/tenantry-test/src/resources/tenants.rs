//! Two tenants to work for, admitted as any other.

use std::sync::Arc;

use tenantry_core::{Admission, Limits, Mirror, Plan, PlanName, Plans, Scope, Tenant, TenantId};

/// The scopes of two tenants, the id of one of which begins with that of the other.
#[derive(Clone, Debug)]
pub struct Two {
    /// The tenant `acme`, 1.
    pub acme: Scope,
    /// The tenant `globex`, 11.
    pub globex: Scope,
}

/// Two tenants on the plan that is always there.
///
/// # Panics
///
/// When they are not admitted.
pub fn two() -> Two {
    let [acme, globex] = two_tenants(Limits::default());
    Two { acme, globex }
}

/// The scopes of two tenants, `acme` and `globex`, on a plan with these limits.
///
/// # Panics
///
/// When they are not admitted.
pub fn two_tenants(limits: Limits) -> [Scope; 2] {
    let tenants = [(1, "acme"), (11, "globex")];
    let tenant = |(id, slug): (i64, &str)| Tenant::new(TenantId::new(id), slug.parse().expect("a slug"));
    let mirror = Arc::new(Mirror::from_iter(tenants.map(tenant)));
    let admission = Admission::new(mirror, Plans::from_iter([Plan::new(PlanName::default(), limits)]));
    tenants.map(|(id, _)| admission.admit_id(TenantId::new(id)).expect("admitted"))
}
