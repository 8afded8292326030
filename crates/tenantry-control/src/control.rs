//! What the verbs need, and how a record is changed.

use std::{fmt, sync::Arc, time::Duration};

use tenantry_core::{
    Amendment, Audit, Catalog, CatalogError, Ledger, LedgerError, Listener, MigratableRows, MovableRows, Once, Plane,
    Plans, Slug, Status, Tenant,
};

use crate::{VerbError, archive::Portable};

/// Looks after the tenants of a deployment.
///
/// Two callers may do things to one tenant at the same time: each verb looks at the record, decides, and changes it only if it
/// is still the one that was looked at; else it looks again.
#[derive(Clone)]
pub struct Control {
    catalog: Arc<dyn Catalog>,
    ledger: Arc<dyn Ledger>,
    audit: Arc<dyn Audit>,
    once: Arc<dyn Once>,
    plans: Plans,
    planes: Arc<[Arc<dyn Plane>]>,
    portable: Option<Portable>,
    movable: Option<Arc<dyn MovableRows>>,
    listener: Listener,
    migratable: Option<Arc<dyn MigratableRows>>,
    settle: Duration,
    lease: Duration,
}

/// What a verb has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Whether anything is different now.
    pub changed: bool,
    /// The tenant, as it is now.
    pub tenant: Tenant,
}

impl Control {
    /// How long a tenant that was closed is waited for, unless told otherwise.
    pub const SETTLE: Duration = Duration::from_secs(3);

    /// How long nobody else goes on with an operation whose worker is not heard of, unless told otherwise.
    pub const LEASE: Duration = Duration::from_secs(60);

    /// Verbs on the tenants of this catalog, who are on these plans. They have data nowhere until
    /// [`Control::with_planes`] says where.
    pub fn new(store: Arc<impl Catalog + Ledger + Audit + Once>, plans: Plans) -> Self {
        let (catalog, ledger) = (Arc::clone(&store) as Arc<dyn Catalog>, Arc::clone(&store) as Arc<dyn Ledger>);
        let audit = Arc::clone(&store) as Arc<dyn Audit>;
        Self {
            catalog,
            ledger,
            audit,
            once: store,
            plans,
            planes: Arc::default(),
            portable: None,
            movable: None,
            listener: Listener::default(),
            migratable: None,
            settle: Self::SETTLE,
            lease: Self::LEASE,
        }
    }

    /// Where tenants have data. What refers to others comes first: rows before the files that they name.
    #[must_use]
    pub fn with_planes(mut self, planes: impl IntoIterator<Item = Arc<dyn Plane>>) -> Self {
        self.planes = planes.into_iter().collect();
        self
    }

    /// Where the data is that goes into archives and comes out of them. Without this there is no export and no import.
    #[must_use]
    pub fn with_portable(mut self, portable: Portable) -> Self {
        self.portable = Some(portable);
        self
    }

    /// What moves rows from one placement to the other. Without this there is no move.
    #[must_use]
    pub fn with_movable(mut self, movable: Arc<dyn MovableRows>) -> Self {
        self.movable = Some(movable);
        self
    }

    /// Who is told how far operations are: each step by its name, and how much there is to do, which is counted for that. How
    /// much is done comes from the planes, for those that are told of the same listener.
    #[must_use]
    pub fn with_listener(mut self, listener: Listener) -> Self {
        self.listener = listener;
        self
    }

    /// What runs the application's migrations. Without this there is no migrate.
    #[must_use]
    pub fn with_migratable(mut self, migratable: Arc<dyn MigratableRows>) -> Self {
        self.migratable = Some(migratable);
        self
    }

    /// How long a tenant that was closed is waited for: until all servers have heard of it, and have answered what they were
    /// asked before.
    #[must_use]
    pub const fn with_settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// How long nobody else goes on with an operation whose worker is not heard of.
    #[must_use]
    pub const fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Where tenants have data.
    pub fn planes(&self) -> &[Arc<dyn Plane>] {
        &self.planes
    }

    /// What is being done to tenants, and what was.
    pub fn ledger(&self) -> &dyn Ledger {
        &*self.ledger
    }

    pub(crate) const fn portable(&self) -> Option<&Portable> {
        self.portable.as_ref()
    }

    pub(crate) const fn movable(&self) -> Option<&Arc<dyn MovableRows>> {
        self.movable.as_ref()
    }

    pub(crate) const fn migratable(&self) -> Option<&Arc<dyn MigratableRows>> {
        self.migratable.as_ref()
    }

    pub(crate) fn audit(&self) -> &dyn Audit {
        &*self.audit
    }

    pub(crate) fn once(&self) -> &dyn Once {
        &*self.once
    }

    pub(crate) fn catalog(&self) -> &dyn Catalog {
        &*self.catalog
    }

    pub(crate) const fn listener(&self) -> &Listener {
        &self.listener
    }

    pub(crate) const fn settle(&self) -> Duration {
        self.settle
    }

    pub(crate) const fn lease(&self) -> Duration {
        self.lease
    }

    pub(crate) const fn plans(&self) -> &Plans {
        &self.plans
    }

    /// The tenant with this name.
    pub(crate) async fn find(&self, slug: &Slug) -> Result<Tenant, VerbError> {
        let tenant = self.catalog.by_slug(slug).await?;
        tenant.ok_or_else(|| VerbError::Unknown { tenant: slug.clone() })
    }

    /// Changes a tenant's record as `decide` says, who sees it as it is. Nothing to do is not written.
    pub(crate) async fn change(
        &self,
        slug: &Slug,
        decide: impl Fn(&Tenant) -> Result<Amendment, VerbError>,
    ) -> Result<Changed, VerbError> {
        loop {
            let tenant = self.find(slug).await?;
            let amendment = decide(&tenant)?;
            let after = amendment.of(&tenant).map_err(CatalogError::from)?;
            if after == tenant {
                return Ok(Changed { changed: false, tenant });
            }
            self.may_become(&tenant, &after).await?;
            match self.catalog.amend(tenant.id, &amendment, Some(tenant.revision)).await {
                Ok(tenant) => return Ok(Changed { changed: true, tenant }),
                // Somebody else's change is later than what was decided on. Each time round, somebody has got on.
                Err(CatalogError::Changed { .. }) => {}
                // It was removed meanwhile.
                Err(CatalogError::NotFound { .. }) => return Err(VerbError::Unknown { tenant: slug.clone() }),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is being erased does not come back. Of an erasure that begins after this has looked, the record gets another
    /// revision, so that whoever has decided by the former one looks again.
    pub(crate) async fn may_become(&self, before: &Tenant, after: &Tenant) -> Result<(), VerbError> {
        if before.status != Status::Deleting || after.status == Status::Deleting {
            return Ok(());
        }
        match self.ledger().of(before.id).await? {
            None => Ok(()),
            Some(operation) => Err(LedgerError::busy(operation).into()),
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("plans", &self.plans).finish_non_exhaustive()
    }
}
