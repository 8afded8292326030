//! Whose key it is, and for how long.

use tenantry_core::{Scope, Tenant, TenantId};

/// Whose a derived key is: a tenant's since it last began anew, or a tenant's for good.
///
/// A reset makes a training tenant what its template is, and begins another epoch ([`Tenant::epoch`]). What was sealed or
/// signed before, for people and rows that are gone, must not be good for those that have their numbers now. So the holder of
/// whatever speaks of rows (cookies, tokens, links, jobs) is made from a [`Scope`] or a [`Tenant`], and that of what stays
/// where the tenant's record is (its secret settings) from a [`TenantId`].
///
/// ```
/// use tenantry_core::{Tenant, TenantId};
/// use tenantry_resource::{KeyHolder, MasterKeys, Purpose};
///
/// const LINKS: Purpose = Purpose::new("acme.example links");
///
/// let keys = MasterKeys::parse("3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=")?;
/// let mut acme = Tenant::new(TenantId::new(1), "acme".parse()?);
/// let before = keys.current(LINKS, &acme);
/// acme.epoch += 1;
/// assert_ne!(keys.current(LINKS, &acme).secret(), before.secret());
/// assert_ne!(keys.current(LINKS, acme.id).secret(), before.secret());
/// assert_ne!(KeyHolder::from(&acme), KeyHolder::from(acme.id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHolder {
    tenant: TenantId,
    epoch: Option<u32>,
}

impl KeyHolder {
    /// The tenant.
    pub const fn tenant(self) -> TenantId {
        self.tenant
    }

    /// What HKDF is told of the holder, before and after the label of what the key is used for. No label is `epochs`, so a
    /// key of an epoch is never one for good.
    pub(super) const fn info(self) -> (&'static [u8], [u8; 8], Option<[u8; 4]>) {
        match self.epoch {
            None => (b"", self.tenant.get().to_be_bytes(), None),
            Some(epoch) => (b"epochs", self.tenant.get().to_be_bytes(), Some(epoch.to_be_bytes())),
        }
    }
}

impl From<TenantId> for KeyHolder {
    fn from(tenant: TenantId) -> Self {
        Self { tenant, epoch: None }
    }
}

impl From<&Tenant> for KeyHolder {
    fn from(tenant: &Tenant) -> Self {
        Self { tenant: tenant.id, epoch: Some(tenant.epoch) }
    }
}

impl From<&Scope> for KeyHolder {
    fn from(scope: &Scope) -> Self {
        Self::from(scope.tenant())
    }
}
