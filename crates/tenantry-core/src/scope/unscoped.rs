//! The deliberate absence of a scope.

use std::panic::Location;

use super::witness;
use crate::TenantId;

/// Work that crosses tenants on purpose, with the reason why and the place that says so.
///
/// Where a function takes a [`crate::Scope`], there may be a twin that takes an `Unscoped`. Writing one is meant to be
/// rare and easy to find: every one is logged to the target `tenantry::audit` when it is made, and told to the
/// [`crate::Witness`]es of the process. A `Tenancy` is one while it is open, and notes it in its audit log.
///
/// ```
/// use tenantry_core::Unscoped;
///
/// let unscoped = Unscoped::because("nightly billing sums up all tenants");
/// assert_eq!(unscoped.reason(), "nightly billing sums up all tenants");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unscoped {
    reason: &'static str,
    place: &'static Location<'static>,
    tenant: Option<TenantId>,
}

impl Unscoped {
    /// Leaves the scope out for this reason.
    #[track_caller]
    pub fn because(reason: &'static str) -> Self {
        Self::told(Self { reason, place: Location::caller(), tenant: None })
    }

    /// Leaves it out for this reason, for work on this tenant alone: on one that is suspended, for instance, for which there
    /// is no scope.
    #[track_caller]
    pub fn on(tenant: TenantId, reason: &'static str) -> Self {
        Self::told(Self { reason, place: Location::caller(), tenant: Some(tenant) })
    }

    /// Why there is no scope.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// Where in the source the reason is written.
    pub const fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// The only tenant that the work is on, where that is known.
    pub const fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    fn told(self) -> Self {
        let Self { reason, place, tenant } = self;
        let tenant = tenant.map(TenantId::get);
        tracing::info!(target: "tenantry::audit", reason, place = %place, tenant, "work without a scope");
        witness::tell(&self);
        self
    }
}
