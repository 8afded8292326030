//! What any store of tenants must be able to do.

use std::{pin::Pin, time::SystemTime};

use super::{Amendment, CatalogError};
use crate::{Overrides, Placement, PlanName, Revision, Slug, Status, Tenant, TenantId};

/// A boxed future, as the methods of [`Catalog`] return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The durable registry of tenants. `tenantry-sqlx` has implementations.
///
/// The data plane never asks a catalog while a request waits: it asks a [`crate::Mirror`], which follows the catalog by
/// [`Catalog::version`] and [`Catalog::changes`].
///
/// What an implementation promises:
/// 1. Slugs and aliases share one space of names; each name belongs to at most one tenant.
/// 2. Every write takes effect whole or not at all, and raises the version by at least one.
/// 3. A tenant's revision is the version of its last change, and `changes(v)` lists what came after version `v`, oldest
///    first, each tenant at most once.
/// 4. Ids are never used again, neither after a removal nor after the store was lost or replaced by an older copy: other
///    stores keep data under them.
pub trait Catalog: Send + Sync + 'static {
    /// The tenant with this id.
    fn by_id(&self, id: TenantId) -> BoxFuture<'_, Result<Option<Tenant>, CatalogError>>;

    /// The tenant with this slug or alias.
    fn by_slug<'a>(&'a self, slug: &'a Slug) -> BoxFuture<'a, Result<Option<Tenant>, CatalogError>>;

    /// At most `limit` tenants with an id greater than `after`, in the order of their ids.
    fn page(&self, after: Option<TenantId>, limit: u32) -> BoxFuture<'_, Result<Vec<Tenant>, CatalogError>>;

    /// Whether other tenants have their settings from this one.
    fn is_template(&self, id: TenantId) -> BoxFuture<'_, Result<bool, CatalogError>>;

    /// The number of the last change.
    fn version(&self) -> BoxFuture<'_, Result<CatalogVersion, CatalogError>>;

    /// At most `limit` changes after `since`, oldest first.
    fn changes(&self, since: CatalogVersion, limit: u32) -> BoxFuture<'_, Result<Vec<Change>, CatalogError>>;

    /// Adds a tenant.
    fn create(&self, new: NewTenant) -> BoxFuture<'_, Result<Tenant, CatalogError>>;

    /// Changes a tenant's record, and returns it as it is afterwards.
    ///
    /// With `expected`, nothing changes unless the record is still of that revision.
    fn amend<'a>(
        &'a self,
        id: TenantId,
        amendment: &'a Amendment,
        expected: Option<Revision>,
    ) -> BoxFuture<'a, Result<Tenant, CatalogError>>;

    /// Gives a tenant another status, and returns its record after the change.
    fn set_status(&self, id: TenantId, status: Status) -> BoxFuture<'_, Result<Tenant, CatalogError>> {
        Box::pin(async move { self.amend(id, &status.into(), None).await })
    }

    /// Remembers which settings the application has, for tools that do not know its struct.
    fn describe_settings<'a>(&'a self, described: &'a str) -> BoxFuture<'a, Result<(), CatalogError>>;

    /// What [`Catalog::describe_settings`] was told last; nothing if it never was.
    fn described_settings(&self) -> BoxFuture<'_, Result<Option<String>, CatalogError>>;

    /// Forgets a tenant, and frees its names. What the tenant stored elsewhere stays. The template of others is
    /// refused, and so is one that something is being done to ([`crate::Ledger`]).
    fn remove(&self, id: TenantId) -> BoxFuture<'_, Result<(), CatalogError>>;
}

/// Counts the changes to a catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogVersion(i64);

impl CatalogVersion {
    /// The version with this number, as a catalog stored it.
    pub const fn new(version: i64) -> Self {
        Self(version)
    }

    /// The number itself.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// One entry of [`Catalog::changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The tenant is gone.
    Removed {
        /// Its id.
        id: TenantId,
        /// The version of the removal.
        version: CatalogVersion,
    },
    /// The tenant is new, or is now like this.
    Upserted(Tenant),
}

impl Change {
    /// Which tenant changed.
    pub const fn id(&self) -> TenantId {
        match self {
            Self::Removed { id, .. } => *id,
            Self::Upserted(tenant) => tenant.id,
        }
    }

    /// The version of the catalog after this change.
    pub const fn version(&self) -> CatalogVersion {
        match self {
            Self::Removed { version, .. } => *version,
            Self::Upserted(tenant) => CatalogVersion::new(tenant.revision.get()),
        }
    }
}

/// A tenant to be created. [`Catalog::create`] adds id, time of creation and revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// The public name.
    pub slug: Slug,
    /// Further public names.
    pub aliases: Vec<Slug>,
    /// The first status.
    pub status: Status,
    /// The name of the plan.
    pub plan: PlanName,
    /// Where its rows will live.
    pub placement: Placement,
    /// When its time is up.
    pub expires_at: Option<SystemTime>,
    /// What is set for it from the beginning.
    pub settings: Overrides,
    /// The tenant whose settings are this one's where it has none of its own.
    pub template: Option<TenantId>,
    /// Whether it is made to be tried, and is nobody's for good.
    pub trial: bool,
}

impl NewTenant {
    /// An active tenant on the plan `default`, in the shared tables, that never expires.
    pub fn new(slug: Slug) -> Self {
        Self {
            slug,
            aliases: Vec::new(),
            status: Status::Active,
            plan: PlanName::default(),
            placement: Placement::default(),
            expires_at: None,
            settings: Overrides::default(),
            template: None,
            trial: false,
        }
    }

    /// The record that this becomes.
    pub fn into_tenant(self, id: TenantId, created_at: SystemTime, revision: Revision) -> Tenant {
        let Self { slug, aliases, status, plan, placement, expires_at, settings, template, trial } = self;
        let mut tenant = Tenant::new(id, slug);
        (tenant.aliases, tenant.status, tenant.plan, tenant.placement) = (aliases, status, plan, placement);
        (tenant.created_at, tenant.expires_at, tenant.settings) = (created_at, expires_at, settings);
        (tenant.template, tenant.trial, tenant.revision) = (template, trial, revision);
        tenant
    }
}
