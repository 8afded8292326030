//! The store: opening it, reading it, following it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, FromRow, Row, Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tenantry_core::{
    Act, Amendment, BoxFuture, Catalog, CatalogError, CatalogVersion, Change, Mirror, NewTenant, Revision, Slug,
    Tenant, TenantId,
};
use tokio::sync::{Mutex, RwLock};

use super::{failure::Place, file::FileId, schema};
use crate::{
    catalog::{
        follow::{self, FollowOptions, Follower},
        open::{Fill, OpenOptions},
        pulse::Beat,
        record::Record,
    },
    owner_only,
};

/// The catalog of tenants in one SQLite file, which several processes may share.
///
/// 1. A write is on the disk before it is reported as done (`synchronous = EXTRA`). It is kept with a rollback journal
///    and not with a write-ahead log: whoever opens a file that was just put in the place of another one would have
///    the log of the old file played into the new one. Requests do not read the file, so the log would win nothing.
/// 2. When the file is locked by another process, an operation waits for [`OpenOptions::busy_timeout`] and then fails.
/// 3. When the file is replaced by another one, it is opened anew; while it is missing, every operation fails. Nothing
///    is ever written to a file that has lost its name.
/// 4. The file is made with mode 0600, since it lists customers.
#[derive(Debug)]
pub struct SqliteCatalog {
    pub(super) place: Place,
    opened: RwLock<Opened>,
    /// One writer at a time in this process, so that those who wait do not hold connections that readers need.
    pub(super) writing: Mutex<()>,
    pub(super) beat: Beat,
    /// Whose the changes are.
    pub(super) act: Act,
}

impl SqliteCatalog {
    /// Opens the catalog at `path`.
    ///
    /// # Errors
    ///
    /// [`CatalogError::Unavailable`] when there is no such file or folder, when it is locked, belongs to another
    /// application or was written by a newer version; [`CatalogError::Corrupt`] when it is no database.
    pub async fn open(path: impl Into<PathBuf>, options: OpenOptions) -> Result<Self, CatalogError> {
        let place = Place { path: path.into(), busy_timeout: options.busy_timeout };
        if options.fill == Fill::Yes {
            owner_only::create(&place.path).map_err(|error| place.missing(error))?;
        }
        let opened = Opened::new(&place, options.fill).await?;
        let (opened, act) = (RwLock::new(opened), options.into_act());
        Ok(Self { place, opened, writing: Mutex::new(()), beat: Beat::default(), act })
    }

    /// Where the catalog is.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// Like [`follow()`](crate::follow), but wakes the follower on each write of this process, and makes it read
    /// everything anew when the file was replaced, whatever the version of the new one.
    ///
    /// # Errors
    ///
    /// A [`CatalogError`] when the catalog cannot be read in full now.
    pub async fn follow(
        self: &Arc<Self>,
        mirror: Arc<Mirror>,
        options: FollowOptions,
    ) -> Result<Follower, CatalogError> {
        let catalog: Arc<dyn Catalog> = Arc::<Self>::clone(self);
        follow::start(catalog, mirror, options, Some(self.beat.listen())).await
    }

    /// Closes the file. Later operations fail.
    pub async fn close(&self) {
        self.opened.read().await.pool.close().await;
    }

    /// The connections to the file that is at the path now.
    pub(super) async fn pool(&self) -> Result<SqlitePool, CatalogError> {
        // One stat per operation: requests never come here, and SQLite itself would go on with a deleted file.
        let file = FileId::of(&self.place.path).map_err(|error| self.place.missing(error))?;
        let opened = self.opened.read().await;
        if opened.file == Some(file) {
            return Ok(opened.pool.clone());
        }
        drop(opened);
        self.reopen().await
    }

    async fn reopen(&self) -> Result<SqlitePool, CatalogError> {
        let mut opened = self.opened.write().await;
        let file = FileId::of(&self.place.path).map_err(|error| self.place.missing(error))?;
        if opened.file != Some(file) {
            opened.file = None;
            opened.pool.close().await;
            *opened = Opened::new(&self.place, Fill::No).await?;
            self.beat.replaced();
        }
        Ok(opened.pool.clone())
    }

    async fn fetch_one(&self, query: Query<'_>) -> Result<Option<Tenant>, CatalogError> {
        let pool = self.pool().await?;
        let row = query.fetch_optional(&pool).await.map_err(|error| self.place.failed(error))?;
        row.map(|row| self.tenant(&row)).transpose()
    }

    pub(super) fn tenant(&self, row: &SqliteRow) -> Result<Tenant, CatalogError> {
        let record = Record::from_row(row).map_err(|error| self.place.corrupt(error.to_string()))?;
        record.into_tenant().map_err(|detail| self.place.corrupt(detail))
    }

    fn change(&self, row: &SqliteRow) -> Result<Change, CatalogError> {
        let wrong = |error: sqlx::Error| self.place.corrupt(error.to_string());
        if row.try_get::<Option<i64>, _>("removed").map_err(wrong)?.is_none() {
            return self.tenant(row).map(Change::Upserted);
        }
        let id = TenantId::new(row.try_get("id").map_err(wrong)?);
        Ok(Change::Removed { id, version: CatalogVersion::new(row.try_get("revision").map_err(wrong)?) })
    }
}

impl Catalog for SqliteCatalog {
    fn by_id(&self, id: TenantId) -> BoxFuture<'_, Result<Option<Tenant>, CatalogError>> {
        Box::pin(self.fetch_one(sqlx::query(TENANT_BY_ID).bind(id.get())))
    }

    fn by_slug<'a>(&'a self, slug: &'a Slug) -> BoxFuture<'a, Result<Option<Tenant>, CatalogError>> {
        Box::pin(self.fetch_one(sqlx::query(TENANT_BY_NAME).bind(slug.as_str())))
    }

    fn page(&self, after: Option<TenantId>, limit: u32) -> BoxFuture<'_, Result<Vec<Tenant>, CatalogError>> {
        Box::pin(async move {
            let pool = self.pool().await?;
            let page = sqlx::query(TENANTS_AFTER).bind(after.map_or(i64::MIN, TenantId::get)).bind(limit);
            let rows = page.fetch_all(&pool).await.map_err(|error| self.place.failed(error))?;
            rows.iter().map(|row| self.tenant(row)).collect()
        })
    }

    fn is_template(&self, id: TenantId) -> BoxFuture<'_, Result<bool, CatalogError>> {
        Box::pin(async move {
            let pool = self.pool().await?;
            let other = sqlx::query(MADE_FROM).bind(id.get()).fetch_optional(&pool).await;
            Ok(other.map_err(|error| self.place.failed(error))?.is_some())
        })
    }

    fn version(&self) -> BoxFuture<'_, Result<CatalogVersion, CatalogError>> {
        Box::pin(async move {
            let pool = self.pool().await?;
            let version = sqlx::query_scalar("SELECT version FROM catalog").fetch_one(&pool).await;
            version.map(CatalogVersion::new).map_err(|error| self.place.failed(error))
        })
    }

    fn changes(&self, since: CatalogVersion, limit: u32) -> BoxFuture<'_, Result<Vec<Change>, CatalogError>> {
        Box::pin(async move {
            let pool = self.pool().await?;
            let changes = sqlx::query(CHANGES_AFTER).bind(since.get()).bind(limit);
            let rows = changes.fetch_all(&pool).await.map_err(|error| self.place.failed(error))?;
            rows.iter().map(|row| self.change(row)).collect()
        })
    }

    fn create(&self, new: NewTenant) -> BoxFuture<'_, Result<Tenant, CatalogError>> {
        Box::pin(self.insert(new))
    }

    fn amend<'a>(
        &'a self,
        id: TenantId,
        amendment: &'a Amendment,
        expected: Option<Revision>,
    ) -> BoxFuture<'a, Result<Tenant, CatalogError>> {
        Box::pin(self.update(id, amendment, expected))
    }

    fn describe_settings<'a>(&'a self, described: &'a str) -> BoxFuture<'a, Result<(), CatalogError>> {
        Box::pin(self.write_description(described))
    }

    fn described_settings(&self) -> BoxFuture<'_, Result<Option<String>, CatalogError>> {
        Box::pin(async move {
            let pool = self.pool().await?;
            let described = sqlx::query_scalar("SELECT settings FROM catalog").fetch_one(&pool).await;
            described.map_err(|error| self.place.failed(error))
        })
    }

    fn remove(&self, id: TenantId) -> BoxFuture<'_, Result<(), CatalogError>> {
        Box::pin(self.delete(id))
    }
}

/// The file that is open.
#[derive(Debug)]
struct Opened {
    pool: SqlitePool,
    /// None once it is closed.
    file: Option<FileId>,
}

impl Opened {
    async fn new(place: &Place, fill: Fill) -> Result<Self, CatalogError> {
        let file = FileId::of(&place.path).map_err(|error| place.missing(error))?;
        let connect = SqliteConnectOptions::new()
            .filename(&place.path)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Extra)
            .busy_timeout(place.busy_timeout)
            // The poll would fill every debug log.
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(place.busy_timeout + ACQUIRE_SLACK)
            .connect_with(connect)
            .await
            .map_err(|error| place.failed(error))?;
        if let Err(error) = schema::prepare(&pool, place, fill).await {
            pool.close().await;
            return Err(error);
        }
        Ok(Self { pool, file: Some(file) })
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments>;

/// The columns of a [`Record`].
macro_rules! select_tenant {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.status, t.plan, t.placement, t.created_at, t.expires_at, t.erase_at, t.epoch,
                t.settings, t.template, t.trial, t.revision,
                (SELECT group_concat(name, ' ' ORDER BY position) FROM names WHERE tenant = t.id) AS names ",
            $rest
        )
    };
}

pub(super) const TENANT_BY_ID: &str = select_tenant!("FROM tenants t WHERE t.id = ?1");

const TENANT_BY_NAME: &str = select_tenant!("FROM tenants t WHERE t.id = (SELECT tenant FROM names WHERE name = ?1)");

const TENANTS_AFTER: &str = select_tenant!("FROM tenants t WHERE t.id > ?1 ORDER BY t.id LIMIT ?2");

/// Another tenant that has its settings from this one.
pub(super) const MADE_FROM: &str = "SELECT id FROM tenants WHERE template = ?1 AND id <> ?1 LIMIT 1";

/// One statement, so that all of it is of one moment.
const CHANGES_AFTER: &str = "
    WITH changed (id, version, removed) AS (
        SELECT id, revision, NULL FROM tenants WHERE revision > ?1
        UNION ALL
        SELECT id, version, 1 FROM removed WHERE version > ?1
        ORDER BY 2 LIMIT ?2
    )
    SELECT c.id, c.version AS revision, c.removed, t.status, t.plan, t.placement, t.created_at, t.expires_at,
        t.erase_at, t.epoch, t.settings, t.template, t.trial,
        (SELECT group_concat(name, ' ' ORDER BY position) FROM names WHERE tenant = c.id) AS names
    FROM changed c LEFT JOIN tenants t ON t.id = c.id AND c.removed IS NULL
    ORDER BY c.version";

/// Readers in this process at once: the follower, a console, and some more.
const CONNECTIONS_MAX: u32 = 4;

/// How much longer than for a lock an operation waits for a connection.
const ACQUIRE_SLACK: Duration = Duration::from_secs(1);
