//! The catalog, in whichever store the configuration names.

use std::{ops::Deref, sync::Arc};

use tenantry_control::Control;
use tenantry_core::{Audit, Catalog, CatalogError, Mirror, Once, Plans};
#[cfg(feature = "postgres")]
use tenantry_sqlx::PgCatalog;
use tenantry_sqlx::{FollowOptions, Follower, OpenOptions, SqliteCatalog};

use crate::config::{CatalogSection, Place, ServerUrl};

/// The catalog that a configuration names, open. It is used as the [`Catalog`] that it leads to.
///
/// Cloning is cheap, and clones are the same catalog.
#[derive(Clone, Debug)]
pub struct CatalogStore(Store);

#[derive(Clone, Debug)]
enum Store {
    #[cfg(feature = "postgres")]
    Postgres(Arc<PgCatalog>),
    Sqlite(Arc<SqliteCatalog>),
}

impl CatalogStore {
    /// Opens the catalog, with the section's time limit.
    ///
    /// # Errors
    ///
    /// [`CatalogError`], as the stores have it; also when it is in PostgreSQL and this build has none of that.
    pub async fn open(section: &CatalogSection, options: OpenOptions) -> Result<Self, CatalogError> {
        let options = options.busy_timeout(section.busy_timeout);
        match &section.place {
            Place::File(path) => Ok(Self(Store::Sqlite(Arc::new(SqliteCatalog::open(path, options).await?)))),
            Place::Server(url) => Self::on_server(url, options).await,
        }
    }

    /// Keeps a mirror up to date with it, as [`SqliteCatalog::follow`] and `PgCatalog::follow` do.
    ///
    /// # Errors
    ///
    /// A [`CatalogError`] when the catalog cannot be read in full now.
    pub async fn follow(&self, mirror: Arc<Mirror>, options: FollowOptions) -> Result<Follower, CatalogError> {
        match &self.0 {
            #[cfg(feature = "postgres")]
            Store::Postgres(catalog) => catalog.follow(mirror, options).await,
            Store::Sqlite(catalog) => catalog.follow(mirror, options).await,
        }
    }

    /// What changes tenants that are on these plans.
    pub fn control(&self, plans: Plans) -> Control {
        match &self.0 {
            #[cfg(feature = "postgres")]
            Store::Postgres(catalog) => Control::new(Arc::clone(catalog), plans),
            Store::Sqlite(catalog) => Control::new(Arc::clone(catalog), plans),
        }
    }

    /// The log of who did what to which tenant, which it keeps.
    pub fn audit(&self) -> &dyn Audit {
        match &self.0 {
            #[cfg(feature = "postgres")]
            Store::Postgres(catalog) => &**catalog,
            Store::Sqlite(catalog) => &**catalog,
        }
    }

    /// What remembers which links for one use were used.
    pub fn once(&self) -> Arc<dyn Once> {
        match &self.0 {
            #[cfg(feature = "postgres")]
            Store::Postgres(catalog) => Arc::<PgCatalog>::clone(catalog),
            Store::Sqlite(catalog) => Arc::<SqliteCatalog>::clone(catalog),
        }
    }

    /// The catalog, for what keeps it.
    pub(crate) fn shared(&self) -> Arc<dyn Catalog> {
        match &self.0 {
            #[cfg(feature = "postgres")]
            Store::Postgres(catalog) => Arc::<PgCatalog>::clone(catalog),
            Store::Sqlite(catalog) => Arc::<SqliteCatalog>::clone(catalog),
        }
    }

    #[cfg(feature = "postgres")]
    async fn on_server(url: &ServerUrl, options: OpenOptions) -> Result<Self, CatalogError> {
        Ok(Self(Store::Postgres(Arc::new(PgCatalog::open(url.expose(), options).await?))))
    }

    #[cfg(not(feature = "postgres"))]
    #[expect(clippy::unused_async, reason = "with PostgreSQL there is something to wait for")]
    async fn on_server(url: &ServerUrl, _: OpenOptions) -> Result<Self, CatalogError> {
        Err(CatalogError::Unavailable { place: url.to_string(), source: Box::new(NoPostgres) })
    }
}

impl Deref for CatalogStore {
    type Target = dyn Catalog;

    fn deref(&self) -> &Self::Target {
        match &self.0 {
            #[cfg(feature = "postgres")]
            Store::Postgres(catalog) => &**catalog,
            Store::Sqlite(catalog) => &**catalog,
        }
    }
}

/// The catalog is in PostgreSQL, and this build cannot go there.
#[cfg(not(feature = "postgres"))]
#[derive(Debug, thiserror::Error)]
#[error("this build has no PostgreSQL; build with the feature postgres: cargo install … --features postgres")]
struct NoPostgres;
