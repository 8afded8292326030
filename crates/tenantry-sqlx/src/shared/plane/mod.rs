//! The rows of tenants in SQLite files, as what looks after a tenant's life sees them.
//!
//! | module | what it has |
//! |---|---|
//! | `tenants` | the rows of a tenant in the shared tables |
//! | `own` | a database of the tenant's own |
//! | `into_own` | rows come into a database of the tenant's own |
//! | `from_own` | rows come from there into the shared tables |
//! | [`moving`] | rows move between the two while the tenant works |
//! | `compared` | a copy is compared with its source |
//! | `migrating` | the application's migrations run on all of these |
//! | `objects` | what a schema consists of, and whether two are the same |
//! | `error` | why the rows of a tenant cannot be worked on |

mod compared;
mod error;
mod from_own;
mod into_own;
mod migrating;
pub(super) mod moving;
mod objects;
mod own;
mod tenants;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use sqlx::migrate::Migrator;
use tenantry_core::{Amount, BoxFuture, Listener, Placement, Plane, PlaneError, Tenant};
use tokio::sync::OnceCell;

pub(super) use self::tenants::count as count_rows;
pub use self::{
    error::RowsError,
    moving::{MoveError, RowsMove},
};
use super::{SqliteOptions, keeper::Keeper};
use crate::migrations;

/// The rows of tenants in SQLite files: in the shared tables, or in a file of the tenant's own.
///
/// # What is promised
///
/// 1. Of the shared tables only this tenant's rows are read or changed, whatever triggers and foreign keys the application
///    has: neither act. Tables that all tenants read are left alone.
/// 2. A copy is of one moment: what is committed to `from` meanwhile is in it whole or not at all. It replaces what `to`
///    has in one transaction, so that whoever reads `to` sees the former rows or the new ones. Ids stay, and so does how
///    far they have been counted.
/// 3. Rows in shared tables are erased in batches, between which others may write. The record of the tenant goes with the
///    last one, so that what was killed is begun again.
/// 4. A tenant that was never used has no rows, and counting makes none. A copy of it has what migrations give a new tenant.
///
/// While rows are erased the tenant must not be served: what is written meanwhile may be gone, and later writes would stay.
pub struct SqliteRows {
    options: SqliteOptions,
    migrator: Option<Migrator>,
    lock_wait_max: Option<Duration>,
    keeper: OnceCell<Arc<Keeper>>,
    listener: Listener,
}

/// Where a tenant's rows are.
enum At {
    Shared,
    /// In this file, if there is one.
    Own(PathBuf),
}

impl SqliteRows {
    /// Of the databases that `options` describe. They are opened when they are first needed.
    pub fn new(options: SqliteOptions) -> Self {
        Self { options, migrator: None, lock_wait_max: None, keeper: OnceCell::new(), listener: Listener::default() }
    }

    /// Tells this one how many rows are copied or erased: after each table, and after each batch.
    #[must_use]
    pub fn with_listener(mut self, listener: Listener) -> Self {
        self.listener = listener;
        self
    }

    /// With the application's migrations. Without them nothing is migrated.
    #[must_use]
    pub fn migrated_by(mut self, migrator: &Migrator) -> Self {
        self.migrator = Some(migrations::copy(migrator));
        self
    }

    /// How long a migration of a tenant's own database waits for a lock; as long as statements do, unless told otherwise.
    #[must_use]
    pub const fn lock_wait_max(mut self, max: Duration) -> Self {
        self.lock_wait_max = Some(max);
        self
    }

    fn at(&self, tenant: &Tenant) -> Result<At, RowsError> {
        match &tenant.placement {
            Placement::Shared => Ok(At::Shared),
            Placement::Dedicated => Ok(At::Own(self.options.dedicated_file(tenant.id))),
            other => Err(RowsError::Placement(other.as_str())),
        }
    }

    /// The keeper of the shared database, which is opened and if need be made.
    async fn keeper(&self) -> Result<&Keeper, sqlx::Error> {
        self.keeper.get_or_try_init(|| self.options.keeper()).await.map(|keeper| &**keeper)
    }

    /// The same, if there is a shared database at all.
    async fn keeper_if_there(&self) -> Result<Option<&Keeper>, sqlx::Error> {
        if self.options.shared.exists() { self.keeper().await.map(Some) } else { Ok(None) }
    }

    async fn count_all(&self, tenant: &Tenant) -> Result<Amount, RowsError> {
        match self.at(tenant)? {
            At::Own(file) => own::count(&self.options, &file).await,
            At::Shared => match self.keeper_if_there().await? {
                Some(keeper) => Ok(tenants::count(keeper, tenant.id.get()).await?),
                None => Ok(Amount::default()),
            },
        }
    }

    async fn erase_all(&self, tenant: &Tenant) -> Result<Amount, RowsError> {
        match self.at(tenant)? {
            At::Own(file) => {
                let amount = own::count(&self.options, &file).await?;
                own::remove(&self.options, &file)?;
                Ok(amount)
            }
            At::Shared => match self.keeper_if_there().await? {
                Some(keeper) => Ok(tenants::erase(keeper, tenant.id.get(), &self.listener).await?),
                None => Ok(Amount::default()),
            },
        }
    }

    async fn copy_all(&self, from: &Tenant, to: &Tenant) -> Result<Amount, RowsError> {
        if from.id == to.id && from.placement == to.placement {
            return self.count_all(to).await;
        }
        match (self.at(from)?, self.at(to)?) {
            (At::Own(from_file), At::Own(to_file)) if from_file.exists() => {
                into_own::copy(&self.options, into_own::From::Own(&from_file), &to_file, &self.listener).await
            }
            // What was never used is what a new one is.
            (_, At::Own(to_file)) => {
                // So that there is one to copy from.
                self.keeper().await?;
                into_own::copy(&self.options, into_own::From::Tenant(from), &to_file, &self.listener).await
            }
            (At::Own(from_file), At::Shared) if from_file.exists() => {
                from_own::copy(self.keeper().await?, &from_file, to, &self.listener).await
            }
            (_, At::Shared) => tenants::copy(self.keeper().await?, from, to, &self.listener).await,
        }
    }
}

impl Plane for SqliteRows {
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

impl fmt::Debug for SqliteRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRows").field("options", &self.options).finish_non_exhaustive()
    }
}

const NAME: &str = "rows";
