//! The deliberate absence of a scope.

use std::panic::Location;

/// Work that crosses tenants on purpose, with the reason why and the place that says so.
///
/// Where a function takes a [`crate::Scope`], there may be a twin that takes an `Unscoped`. Writing one is meant to be
/// rare and easy to find: every one is logged to the target `tenantry::audit` when it is made.
///
/// ```
/// use tenantry_core::Unscoped;
///
/// let unscoped = Unscoped::because("nightly billing sums up all tenants");
/// assert_eq!(unscoped.reason(), "nightly billing sums up all tenants");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Unscoped {
    reason: &'static str,
    place: &'static Location<'static>,
}

impl Unscoped {
    /// Leaves the scope out for this reason.
    #[track_caller]
    pub fn because(reason: &'static str) -> Self {
        let place = Location::caller();
        tracing::info!(target: "tenantry::audit", reason, place = %place, "work without a scope");
        Self { reason, place }
    }

    /// Why there is no scope.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// Where in the source the reason is written.
    pub const fn place(&self) -> &'static Location<'static> {
        self.place
    }
}
