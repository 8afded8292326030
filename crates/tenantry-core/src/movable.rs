//! Rows that can move from one placement to another while their tenant works.

use crate::{Amount, BoxFuture, Placement, PlaneError, Tenant};

/// Where a tenant's rows can be, and how they get from one placement to the other.
///
/// What looks after a tenant's life takes these steps in this order; each may be killed at any point and taken again, also
/// after later ones:
///
/// ```text
///  prepare ─► copy ─► catch_up … catch_up ─► fence ─► (the catalog is switched) ─► clean_up
///     └──────────┴────────┴─────────────┴──► abandon
/// ```
///
/// Until the catalog is switched there is a way back, since nothing that the tenant wrote is anywhere else than where it
/// was. Between the fence and the moment when a server hears of the switch, reads go on there, and writes wait.
pub trait MovableRows: Send + Sync + 'static {
    /// Sees to it that there is something to move, and a place to move it to.
    fn prepare<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>>;

    /// Copies all rows, as of one moment. What is written meanwhile is brought later.
    fn copy<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>>;

    /// Brings what has changed since, and says how many rows that were: when these are few, it is time for the fence.
    fn catch_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<u64, PlaneError>>;

    /// Lets nobody change the rows where they are, brings what has changed for the last time, and proves that the copy is what
    /// it is a copy of: the same number of rows in each table, and the same digests. From then on every change of them where
    /// they were is refused, whoever tries. When this fails, the tenant works on as before.
    fn fence<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>>;

    /// Removes what is left of the rows where they came from, when no server reads them there any more.
    fn clean_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>>;

    /// Removes the copy, and lets the tenant change its rows where they are. Whoever calls this knows that the catalog was not
    /// switched, and will not be.
    fn abandon<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>>;
}

/// One tenant in two placements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    /// The tenant where it is.
    pub from: Tenant,
    /// The same tenant where it is to be.
    pub to: Tenant,
}

impl Moving {
    /// The move of a tenant. Where it comes from is said here, since its record says so only until the switch.
    ///
    /// ```
    /// use tenantry_core::{Moving, Placement, Tenant, TenantId};
    ///
    /// let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
    /// let moving = Moving::new(&acme, Placement::Shared, Placement::Dedicated);
    /// assert_eq!(moving.to.placement, Placement::Dedicated);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(tenant: &Tenant, from: Placement, to: Placement) -> Self {
        let at = |placement| Tenant { placement, ..tenant.clone() };
        Self { from: at(from), to: at(to) }
    }
}
