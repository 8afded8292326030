//! Two tenants, from a real admission.

use std::sync::Arc;

use tenantry_core::{Admission, Mirror, Plans, Scope, SlugError, Tenant, TenantId};

/// The scopes of two tenants, the id of one of which begins with that of the other.
#[derive(Clone, Debug)]
pub struct Two {
    /// The tenant `acme`, 1.
    pub acme: Scope,
    /// The tenant `globex`, 11.
    pub globex: Scope,
}

/// Admits two tenants.
///
/// # Errors
///
/// When an admission, or a name, is refused.
pub fn two() -> Result<Two, Box<dyn std::error::Error + Send + Sync>> {
    let tenant = |id, slug: &str| Ok::<_, SlugError>(Tenant::new(TenantId::new(id), slug.parse()?));
    let mirror = Mirror::from_iter([tenant(1, "acme")?, tenant(11, "globex")?]);
    let admission = Admission::new(Arc::new(mirror), Plans::default());
    Ok(Two { acme: admission.admit_id(TenantId::new(1))?, globex: admission.admit_id(TenantId::new(11))? })
}
