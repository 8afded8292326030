//! The store: opening it, reading it, following it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{FromRow, Postgres, Row, postgres::PgRow};
use tenantry_core::{
    Act, Amendment, BoxFuture, Catalog, CatalogError, CatalogVersion, Change, Mirror, NewTenant, Revision, Slug,
    Tenant, TenantId,
};

use super::{listen, place::Place, schema};
use crate::{
    catalog::{
        follow::{self, FollowOptions, Follower},
        open::{Fill, OpenOptions},
        pulse::Beat,
        record::Record,
    },
    line::Line,
};

/// The catalog of tenants in a PostgreSQL database, which many processes on many machines may share.
///
/// 1. Its tables are in the schema `tenantry`. Whoever creates tenants may make them: a role with `CREATE` on the
///    database, or one that owns the schema. Whoever only serves needs `USAGE` on the schema and `SELECT` on its tables
///    `catalog`, `catalog_tenants`, `catalog_names` and `catalog_removed`. Whoever lets people in by links, or makes trials,
///    writes to the catalog, and needs to own the schema as well.
/// 2. Writers come one after the other. When another session has locked the catalog, or the server does not answer, an
///    operation waits for [`OpenOptions::busy_timeout`] and then fails.
/// 3. A write wakes the followers of all processes (`NOTIFY`). They ask at every poll as well.
/// 4. It has two connections, one to read and one to write, and a third while it is followed. When the server was away,
///    the next operation connects anew, and followers read everything anew, since it may be a restored one.
/// 5. Neither an error nor `Debug` shows the password. One that is not in the URL is taken from `PGPASSWORD` or
///    `~/.pgpass`.
pub struct PgCatalog {
    pub(super) place: Place,
    pub(super) reading: Line,
    pub(super) writing: Line,
    pub(super) beat: Arc<Beat>,
    store: Mutex<Option<Store>>,
    /// Whose the changes are.
    pub(super) act: Act,
}

/// Which store answered, as far as it can be told: the oid of the table, and when the server was started.
type Store = (i64, i64);

impl PgCatalog {
    /// Opens the catalog in the database at `url`, such as `postgres://user:password@host:5432/database`.
    ///
    /// # Errors
    ///
    /// [`CatalogError::Unavailable`] when the URL is wrong, the server is away or lets nobody in, the database has no
    /// catalog and none is to be made, or one that was written by a newer version.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Self, CatalogError> {
        let place = Place::new(url, options.busy_timeout)?;
        let catalog = Self {
            reading: Line::new(place.options()),
            writing: Line::new(place.options()),
            place,
            beat: Arc::default(),
            store: Mutex::default(),
            act: options.clone().into_act(),
        };
        catalog.place.within(catalog.prepare(options.fill)).await?;
        Ok(catalog)
    }

    /// Where the catalog is: the URL without the password.
    pub fn place(&self) -> String {
        self.place.to_string()
    }

    /// Like [`follow()`](crate::follow), but wakes the follower on each write, of this process or another, and makes it
    /// read everything anew when the store may be another one.
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
        let mut follower = follow::start(catalog, mirror, options, Some(self.beat.listen())).await?;
        follower.along(listen::listen(self.place.clone(), Arc::clone(&self.beat)));
        Ok(follower)
    }

    /// Closes the connections. Later operations make new ones.
    pub async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
    }

    async fn prepare(&self, fill: Fill) -> Result<(), CatalogError> {
        let mut taken = self.reading.take().await.map_err(|error| self.place.failed(error))?;
        schema::prepare(&mut taken, &self.place, fill).await?;
        taken.give_back();
        Ok(())
    }

    pub(super) async fn read(&self, query: Query<'_>) -> Result<Vec<PgRow>, CatalogError> {
        let read = async {
            let mut taken = self.reading.take().await.map_err(|error| self.place.failed(error))?;
            let rows = query.fetch_all(&mut *taken).await.map_err(|error| self.place.failed(error))?;
            taken.give_back();
            Ok(rows)
        };
        self.place.within(read).await
    }

    async fn read_one(&self, query: Query<'_>) -> Result<Option<Tenant>, CatalogError> {
        let rows = self.read(query).await?;
        rows.first().map(|row| self.tenant(row)).transpose()
    }

    async fn read_version(&self) -> Result<CatalogVersion, CatalogError> {
        let rows = self.read(sqlx::query(VERSION)).await?;
        let row = rows.first().ok_or_else(|| self.place.corrupt("the table tenantry.catalog has no row"))?;
        let number = |column| row.try_get::<i64, _>(column).map_err(|error| self.place.failed(error));
        self.answered((number("table")?, number("started")?));
        Ok(CatalogVersion::new(number("version")?))
    }

    /// Tells the followers when the one that answered is not the one that answered before.
    fn answered(&self, store: Store) {
        let before = self.store.lock().unwrap_or_else(PoisonError::into_inner).replace(store);
        if before.is_some_and(|before| before != store) {
            self.beat.replaced();
        }
    }

    pub(super) fn tenant(&self, row: &PgRow) -> Result<Tenant, CatalogError> {
        let record = Record::from_row(row).map_err(|error| self.place.corrupt(error.to_string()))?;
        record.into_tenant().map_err(|detail| self.place.corrupt(detail))
    }

    fn change(&self, row: &PgRow) -> Result<Change, CatalogError> {
        let wrong = |error: sqlx::Error| self.place.corrupt(error.to_string());
        if !row.try_get::<bool, _>("removed").map_err(wrong)? {
            return self.tenant(row).map(Change::Upserted);
        }
        let id = TenantId::new(row.try_get("id").map_err(wrong)?);
        Ok(Change::Removed { id, version: CatalogVersion::new(row.try_get("revision").map_err(wrong)?) })
    }
}

impl fmt::Debug for PgCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgCatalog").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Catalog for PgCatalog {
    fn by_id(&self, id: TenantId) -> BoxFuture<'_, Result<Option<Tenant>, CatalogError>> {
        Box::pin(self.read_one(sqlx::query(TENANT_BY_ID).bind(id.get())))
    }

    fn by_slug<'a>(&'a self, slug: &'a Slug) -> BoxFuture<'a, Result<Option<Tenant>, CatalogError>> {
        Box::pin(self.read_one(sqlx::query(TENANT_BY_NAME).bind(slug.as_str())))
    }

    fn page(&self, after: Option<TenantId>, limit: u32) -> BoxFuture<'_, Result<Vec<Tenant>, CatalogError>> {
        let page = sqlx::query(TENANTS_AFTER).bind(after.map_or(i64::MIN, TenantId::get)).bind(i64::from(limit));
        Box::pin(async move { self.read(page).await?.iter().map(|row| self.tenant(row)).collect() })
    }

    fn is_template(&self, id: TenantId) -> BoxFuture<'_, Result<bool, CatalogError>> {
        Box::pin(async move { Ok(!self.read(sqlx::query(MADE_FROM).bind(id.get())).await?.is_empty()) })
    }

    fn version(&self) -> BoxFuture<'_, Result<CatalogVersion, CatalogError>> {
        Box::pin(self.read_version())
    }

    fn changes(&self, since: CatalogVersion, limit: u32) -> BoxFuture<'_, Result<Vec<Change>, CatalogError>> {
        let changes = sqlx::query(CHANGES_AFTER).bind(since.get()).bind(i64::from(limit));
        Box::pin(async move { self.read(changes).await?.iter().map(|row| self.change(row)).collect() })
    }

    fn create(&self, new: NewTenant) -> BoxFuture<'_, Result<Tenant, CatalogError>> {
        Box::pin(self.place.within(self.insert(new)))
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
        Box::pin(self.place.within(self.write_description(described)))
    }

    fn described_settings(&self) -> BoxFuture<'_, Result<Option<String>, CatalogError>> {
        Box::pin(async move {
            let rows = self.read(sqlx::query("SELECT settings FROM tenantry.catalog")).await?;
            let described = rows.first().map(|row| row.try_get("settings")).transpose();
            described.map(Option::flatten).map_err(|error| self.place.failed(error))
        })
    }

    fn remove(&self, id: TenantId) -> BoxFuture<'_, Result<(), CatalogError>> {
        Box::pin(self.place.within(self.delete(id)))
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments>;

/// The columns of a [`Record`].
macro_rules! select_tenant {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.status, t.plan, t.placement, t.created_at, t.expires_at, t.erase_at, t.epoch,
                t.settings, t.template, t.trial, t.revision,
                (SELECT string_agg(name, ' ' ORDER BY position) FROM tenantry.catalog_names WHERE tenant = t.id) AS names
             FROM tenantry.catalog_tenants t ",
            $rest
        )
    };
}

pub(super) const TENANT_BY_ID: &str = select_tenant!("WHERE t.id = $1");

const TENANT_BY_NAME: &str = select_tenant!("WHERE t.id = (SELECT tenant FROM tenantry.catalog_names WHERE name = $1)");

const TENANTS_AFTER: &str = select_tenant!("WHERE t.id > $1 ORDER BY t.id LIMIT $2");

/// Another tenant that has its settings from this one.
pub(super) const MADE_FROM: &str = "SELECT id FROM tenantry.catalog_tenants WHERE template = $1 AND id <> $1 LIMIT 1";

/// The version, and what tells one store from another: a restored database has a new table, and a server whose files were
/// replaced was started anew.
const VERSION: &str = r#"
    SELECT version, tableoid::bigint AS "table",
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS started
    FROM tenantry.catalog"#;

/// One statement, so that all of it is of one moment.
const CHANGES_AFTER: &str = "
    WITH changed (id, version, removed) AS (
        SELECT id, revision, false FROM tenantry.catalog_tenants WHERE revision > $1
        UNION ALL
        SELECT id, version, true FROM tenantry.catalog_removed WHERE version > $1
        ORDER BY 2 LIMIT $2
    )
    SELECT c.id, c.version AS revision, c.removed, t.status, t.plan, t.placement, t.created_at, t.expires_at,
        t.erase_at, t.epoch, t.settings, t.template, t.trial,
        (SELECT string_agg(name, ' ' ORDER BY position) FROM tenantry.catalog_names WHERE tenant = c.id) AS names
    FROM changed c LEFT JOIN tenantry.catalog_tenants t ON t.id = c.id AND NOT c.removed
    ORDER BY c.version";
