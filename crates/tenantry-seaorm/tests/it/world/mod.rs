//! Tenants with shared tables, one with a database of its own, and a database that nobody shares.

#[cfg(feature = "postgres")]
mod postgres;

use std::sync::Arc;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, EntityTrait,
    JsonValue, StreamTrait, TransactionTrait, prelude::Uuid,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, SqlSafeStr, Sqlite, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;
use tenantry_core::{Admission, Change, Mirror, Placement, Plans, Scope, Status, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_seaorm::{Backend, ScopedDatabase};
use tenantry_sqlx::{ScopedPool, SqliteOptions};

use crate::entity::{post, post_tag, schema, setting, tag, user};

pub(crate) const ACME: i64 = 1;
pub(crate) const GLOBEX: i64 = 2;
/// Has a file of its own.
pub(crate) const INITECH: i64 = 3;

const TABLES: [&str; 10] =
    ["user", "post", "tag", "post_tag", "setting", "writer", "address", "book", "genre", "book_genre"];

/// What a group of operations asks of a connection.
pub(crate) trait Connection: ConnectionTrait + StreamTrait + TransactionTrait {}

impl<C: ConnectionTrait + StreamTrait + TransactionTrait> Connection for C {}

pub(crate) struct Deployment<DB: Backend, P> {
    pub(crate) db: ScopedDatabase<DB>,
    /// SeaORM's own connection, to a database that nobody shares.
    pub(crate) plain: DatabaseConnection,
    mirror: Arc<Mirror>,
    admission: Arc<Admission>,
    /// Where it is, until the end of the test.
    place: P,
}

/// In files.
pub(crate) type World = Deployment<Sqlite, TempDir>;

/// On a server.
#[cfg(feature = "postgres")]
pub(crate) type PgWorld = Deployment<sqlx::Postgres, postgres::Databases>;

impl<DB: Backend, P> Deployment<DB, P> {
    pub(crate) fn scope(&self, id: i64) -> Scope {
        self.admission.admit_id(TenantId::new(id)).unwrap()
    }

    pub(crate) fn suspend(&self, id: i64) {
        let mut tenant = self.scope(id).tenant().clone();
        tenant.status = Status::Suspended;
        self.mirror.apply(Change::Upserted(tenant));
    }

    /// Makes the tables.
    async fn migrated(self) -> Self {
        let schema = schema(DB::BACKEND);
        let script = AssertSqlSafe(schema.join(";\n")).into_sql_str();
        let migration = Migration::new(1, "schema".into(), MigrationType::Simple, script, false);
        self.db.pool().migrate(&Migrator::with_migrations(vec![migration])).await.unwrap();
        for statement in schema {
            self.plain.execute_unprepared(&statement).await.unwrap();
        }
        self
    }

    /// Gives them the same rows under the same ids, and so a database that nobody shares.
    async fn seeded(self, tenants: impl IntoIterator<Item = i64>) -> Self {
        seed(&self.plain).await;
        for tenant in tenants {
            within(self.scope(tenant), seed(&self.db)).await;
        }
        self
    }
}

/// The tenants, two of whom share tables.
fn tenants() -> Arc<Mirror> {
    let mut initech = Tenant::new(TenantId::new(INITECH), "initech".parse().unwrap());
    initech.placement = Placement::Dedicated;
    let shared = [(ACME, "acme"), (GLOBEX, "globex")];
    let tenants = shared.map(|(id, slug)| Tenant::new(TenantId::new(id), slug.parse().unwrap()));
    Arc::new(Mirror::from_iter(tenants.into_iter().chain([initech])))
}

impl World {
    /// Everybody has the same rows under the same ids.
    pub(crate) async fn new() -> Self {
        Self::empty(|_| {}).await.seeded([ACME, GLOBEX, INITECH]).await
    }

    /// Nobody has rows.
    pub(crate) async fn empty(change: impl FnOnce(&mut SqliteOptions)) -> Self {
        Self::open(change).await.migrated().await
    }

    /// There are no tables.
    pub(crate) async fn unmigrated() -> Self {
        Self::open(|_| {}).await
    }

    async fn open(change: impl FnOnce(&mut SqliteOptions)) -> Self {
        let folder = TempDir::new().unwrap();
        let mirror = tenants();
        let admission = Arc::new(Admission::new(Arc::clone(&mirror), Plans::default()));
        let mut options = SqliteOptions::new(folder.path().join("shared.db"), folder.path().join("own"));
        change(&mut options);
        let pool = ScopedPool::sqlite(options, Some(Arc::clone(&admission)));
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("plain.db").display());
        let plain = Database::connect(ConnectOptions::new(url)).await.unwrap();
        Self { db: ScopedDatabase::from(pool), plain, mirror, admission, place: folder }
    }

    /// All rows of the shared tables that are not `tenant`'s, each value as SQLite writes it.
    pub(crate) async fn others(&self, tenant: i64) -> Vec<String> {
        let file = self.place.path().join("shared.db");
        let mut raw = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        let mut rows = Vec::new();
        for table in TABLES {
            rows.extend(rows_of_others(&mut raw, table, tenant).await);
        }
        assert!(!rows.is_empty(), "somebody else has rows");
        rows
    }
}

async fn rows_of_others(raw: &mut SqliteConnection, table: &str, tenant: i64) -> Vec<String> {
    // The hidden row id of a table without one of its own is a column as well.
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_xinfo(?) ORDER BY cid")
        .bind(table)
        .fetch_all(&mut *raw)
        .await
        .unwrap();
    assert_eq!(columns[0], "_tenant");
    let values: Vec<_> = columns.iter().map(|name| format!("quote(\"{name}\")")).collect();
    let text =
        format!("SELECT '{table}: ' || {} FROM \"{table}\" WHERE _tenant <> ? ORDER BY 1", values.join(" || ', ' || "));
    sqlx::query_scalar(AssertSqlSafe(text)).bind(tenant).fetch_all(&mut *raw).await.unwrap()
}

pub(crate) fn a_user(email: &str) -> user::ActiveModel {
    user::ActiveModel {
        email: Set(email.into()),
        role: Set(user::Role::Guest),
        joined: Set("2026-01-02T03:04:05.678Z".parse().unwrap()),
        birthday: Set(Some("1999-12-31".parse().unwrap())),
        profile: Set(Some(JsonValue::from(vec!["a", "ä", "'"]))),
        token: Set(Uuid::from_u128(0x1234_5678_9abc_def0)),
        ..Default::default()
    }
}

pub(crate) fn a_post(user_id: i32, title: &str) -> post::ActiveModel {
    post::ActiveModel {
        user_id: Set(user_id),
        title: Set(title.into()),
        views: Set(1),
        rating: Set(Some(0.5)),
        is_public: Set(true),
        image: Set(Some(vec![0, 255])),
        ..Default::default()
    }
}

pub(crate) fn a_tag(name: &str) -> tag::ActiveModel {
    tag::ActiveModel { name: Set(name.into()), ..Default::default() }
}

pub(crate) fn a_setting(name: &str, value: impl Into<JsonValue>) -> setting::ActiveModel {
    setting::ActiveModel { name: Set(name.into()), value: Set(value.into()), ..Default::default() }
}

async fn seed(db: &impl Connection) {
    for email in ["ada@example.com", "ben@example.com", "cem@example.com"] {
        a_user(email).insert(db).await.unwrap();
    }
    for (user, title) in [(1, "first"), (1, "second"), (2, "third"), (2, "fourth"), (2, "fifth")] {
        a_post(user, title).insert(db).await.unwrap();
    }
    for name in ["red", "green", "blue"] {
        a_tag(name).insert(db).await.unwrap();
    }
    let pairs = [(1, 1), (1, 2), (3, 1), (4, 3)];
    let pairs = pairs.map(|(post, tag)| post_tag::ActiveModel { post_id: Set(post), tag_id: Set(tag) });
    post_tag::Entity::insert_many(pairs).exec(db).await.unwrap();
    a_setting("theme", "dark").insert(db).await.unwrap();
}
