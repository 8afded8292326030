//! The rows of tenants on a PostgreSQL server, as what looks after a tenant's life sees them.
//!
//! | module | what it has |
//! |---|---|
//! | `shared` | the rows of a tenant in the shared tables |
//! | `own` | a database of the tenant's own |
//! | `copy` | rows come from one place to another |
//! | `counting` | how far ids have been given out there, and are from then on |
//! | `migrating` | the application's migrations run on all of these |
//! | `moving` | rows move between the two while the tenant works |

mod copy;
mod counting;
mod migrating;
pub(super) mod moving;
mod own;
mod shared;

use std::{fmt, time::Duration};

use sqlx::migrate::Migrator;
use tenantry_core::{Amount, BoxFuture, Listener, Placement, Plane, PlaneError, Tenant, TenantId};

use super::PostgresOptions;
use crate::{RowsError, line::Line, migrations};

/// The rows of tenants on a PostgreSQL server: in the shared tables, or in a database of the tenant's own.
///
/// # What is promised
///
/// 1. Of the shared tables only this tenant's rows are read or changed: row-level security holds here as well. Tables that
///    all tenants read are left alone.
/// 2. A copy is of one moment: what is committed to `from` meanwhile is in it whole or not at all. It replaces what `to`
///    has in one transaction, so that whoever reads `to` sees the former rows or the new ones. Ids stay, and so does how
///    far they have been given out.
/// 3. Rows in shared tables are erased in one transaction, for which no other tenant waits.
/// 4. A tenant that was never used has no rows, and counting makes none. A copy of it has what migrations give a new tenant.
///
/// While rows are erased the tenant must not be served: what is written meanwhile may be gone, and later writes would stay.
pub struct PgRows {
    options: PostgresOptions,
    migrator: Option<Migrator>,
    lock_wait_max: Option<Duration>,
    /// Where rows come to in the shared database, and where they come from.
    to: Line,
    from: Line,
    listener: Listener,
}

/// Where a tenant's rows are.
#[derive(Clone, Copy)]
enum At {
    Shared(TenantId),
    Own(TenantId),
}

impl PgRows {
    /// Of the databases that `options` describe. They are opened when they are first needed.
    pub fn new(options: PostgresOptions) -> Self {
        let [to, from] = [(); 2].map(|()| Line::new(options.owner.clone()));
        Self { options, migrator: None, lock_wait_max: None, to, from, listener: Listener::default() }
    }

    /// Tells this one how many rows are copied, now and then. They are erased by one statement, of which nothing is told.
    #[must_use]
    pub fn with_listener(mut self, listener: Listener) -> Self {
        self.listener = listener;
        self
    }

    /// With the application's migrations. By them a database of a tenant's own gets its tables when rows come into it before
    /// the tenant is first served; and without them nothing is migrated.
    #[must_use]
    pub fn migrated_by(mut self, migrator: &Migrator) -> Self {
        self.migrator = Some(migrations::copy(migrator));
        self
    }

    /// How long a migration waits for a lock; for as long as it takes, unless told otherwise.
    #[must_use]
    pub const fn lock_wait_max(mut self, max: Duration) -> Self {
        self.lock_wait_max = Some(max);
        self
    }

    async fn count_all(&self, tenant: &Tenant) -> Result<Amount, RowsError> {
        match at(tenant)? {
            At::Own(id) => own::count(self, id).await,
            At::Shared(id) => shared::count(self, id.get()).await,
        }
    }

    async fn erase_all(&self, tenant: &Tenant) -> Result<Amount, RowsError> {
        let amount = match at(tenant)? {
            At::Own(id) => own::erase(self, id).await?,
            At::Shared(id) => shared::erase(self, id.get()).await?,
        };
        moving::forget(self, tenant).await?;
        Ok(amount)
    }

    async fn copy_all(&self, from: &Tenant, to: &Tenant) -> Result<Amount, RowsError> {
        if from.id == to.id && from.placement == to.placement {
            return self.count_all(to).await;
        }
        copy::copy(self, at(from)?, at(to)?).await
    }
}

fn at(tenant: &Tenant) -> Result<At, RowsError> {
    match &tenant.placement {
        Placement::Shared => Ok(At::Shared(tenant.id)),
        Placement::Dedicated => Ok(At::Own(tenant.id)),
        other => Err(RowsError::Placement(other.as_str())),
    }
}

impl Plane for PgRows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { self.count_all(tenant).await.map_err(|error| PlaneError::new(NAME, tenant, error)) })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { self.erase_all(tenant).await.map_err(|error| PlaneError::new(NAME, tenant, error)) })
    }

    fn copy<'a>(&'a self, from: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { self.copy_all(from, to).await.map_err(|error| PlaneError::new(NAME, to, error)) })
    }
}

/// Without the passwords.
impl fmt::Debug for PgRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgRows").field("options", &self.options).finish_non_exhaustive()
    }
}

const NAME: &str = "rows";
