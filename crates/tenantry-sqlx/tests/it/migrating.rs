//! Databases that tenants have of their own are migrated while they are served: files.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row, SqliteConnection, migrate::Migrator};
use tenantry_core::{Change, MigratableRows, MigrationName, Placement, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_sqlx::{SqliteOptions, SqliteRows};

use crate::{
    adopt::instance,
    bad_luck::dropped_after,
    scoped::{Deployment, migrator},
};

const TABLES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL); CREATE TABLE log (what TEXT)";

/// What a later version of the application has: `*` has other columns, in another order.
const LATER: [&str; 3] = [
    "ALTER TABLE notes ADD COLUMN colour TEXT DEFAULT 'red'",
    "CREATE TABLE new (title TEXT NOT NULL, id INTEGER PRIMARY KEY, colour TEXT, size INTEGER DEFAULT 7);
     INSERT INTO new (id, title, colour) SELECT id, title, colour FROM notes;
     DROP TABLE notes;
     ALTER TABLE new RENAME TO notes;",
    "CREATE TABLE colours (name TEXT); INSERT INTO log VALUES ('migrated')",
];

fn all() -> Migrator {
    migrator(&[TABLES, LATER[0], LATER[1], LATER[2]])
}

/// Two tenants on shared tables, and five with a file of their own, which the application has opened.
struct Home {
    deployment: Deployment,
    rows: SqliteRows,
}

const OWN: [i64; 5] = [3, 11, 12, 13, 14];

impl Home {
    async fn new() -> Self {
        let deployment = Deployment::new();
        for id in OWN {
            deployment.mirror.apply(Change::Upserted(tenant(id)));
        }
        deployment.migrate(&[TABLES]).await.unwrap();
        let home = Self { rows: rows(&deployment).migrated_by(&all()), deployment };
        for id in OWN.into_iter().chain([1]) {
            home.execute(id, &format!("INSERT INTO notes (title) VALUES ('of {id}')")).await;
        }
        home
    }

    async fn execute(&self, id: i64, text: &str) {
        let run = sqlx::query(AssertSqlSafe(text)).execute(&self.deployment.pool);
        within(self.deployment.scope(id), run).await.unwrap();
    }

    /// The file of a tenant, as it is.
    async fn file(&self, id: i64) -> SqliteConnection {
        instance(&self.deployment.folder.path().join(format!("own/{id}.db"))).await
    }

    async fn migrated(&self, id: i64) -> Vec<String> {
        let text = "SELECT what FROM log";
        sqlx::query_scalar(text).fetch_all(&mut self.file(id).await).await.unwrap()
    }

    async fn problem(&self, id: i64) -> String {
        let error = self.rows.migrate(&tenant(id)).await.unwrap_err();
        format!("{error}: {}", error.source)
    }
}

fn rows(deployment: &Deployment) -> SqliteRows {
    let folder = deployment.folder.path();
    SqliteRows::new(SqliteOptions::new(folder.join("shared.db"), folder.join("own")))
}

fn tenant(id: i64) -> Tenant {
    let mut tenant = Tenant::new(TenantId::new(id), format!("t{id}").parse().unwrap());
    tenant.placement = Placement::Dedicated;
    tenant
}

fn versions(pending: &[MigrationName]) -> Vec<i64> {
    pending.iter().map(|migration| migration.version).collect()
}

#[tokio::test]
async fn each_gets_what_it_needs_and_once() {
    let home = Home::new().await;
    assert_eq!(versions(&home.rows.pending_shared().await.unwrap()), [2, 3, 4]);
    assert_eq!(home.rows.migrate_shared().await.unwrap(), 3);
    assert_eq!(home.rows.migrate_shared().await.unwrap(), 0);
    for id in OWN {
        assert_eq!(versions(&home.rows.pending(&tenant(id)).await.unwrap().unwrap()), [2, 3, 4]);
        assert_eq!(home.rows.migrate(&tenant(id)).await.unwrap(), 3);
        assert_eq!(home.rows.migrate(&tenant(id)).await.unwrap(), 0);
        assert_eq!(home.rows.pending(&tenant(id)).await.unwrap().unwrap(), []);
        assert_eq!(home.migrated(id).await, ["migrated"]);
    }
}

#[tokio::test]
async fn who_is_served_meanwhile_goes_on() {
    let home = Home::new().await;
    let pool = &home.deployment.pool;
    let (id, scope) = (3, home.deployment.scope(3));
    let star = || sqlx::query("SELECT * FROM notes");
    let returning = || sqlx::query("UPDATE notes SET title = title RETURNING *");
    let explicit = || sqlx::query("SELECT title FROM notes WHERE id = ?").bind(1);
    within(scope.clone(), async {
        let mut held = pool.acquire().await.unwrap();
        for _ in 0..3 {
            assert_eq!(star().fetch_one(pool).await.unwrap().len(), 2);
            assert_eq!(star().fetch_one(&mut held).await.unwrap().len(), 2);
            returning().fetch_one(&mut held).await.unwrap();
            explicit().fetch_one(&mut held).await.unwrap();
        }
        home.rows.migrate(&tenant(id)).await.unwrap();
        let mut transaction = pool.begin().await.unwrap();
        for row in [
            star().fetch_one(pool).await.unwrap(),
            star().fetch_one(&mut held).await.unwrap(),
            star().fetch_one(&mut *transaction).await.unwrap(),
            returning().fetch_one(&mut *transaction).await.unwrap(),
        ] {
            assert_eq!(row.len(), 4);
            assert_eq!((row.get::<i64, _>("id"), row.get::<&str, _>("title")), (1, "of 3"));
            assert_eq!((row.get::<&str, _>("colour"), row.get::<i64, _>("size")), ("red", 7));
        }
        transaction.commit().await.unwrap();
        let row = explicit().fetch_one(&mut held).await.unwrap();
        assert_eq!(row.get::<&str, _>("title"), "of 3");
    })
    .await;
}

#[tokio::test]
async fn a_server_of_the_former_version_opens_what_was_migrated() {
    let home = Home::new().await;
    home.rows.migrate(&tenant(3)).await.unwrap();
    let former = home.deployment.another(|_| {});
    former.migrate(&migrator(&[TABLES])).await.unwrap();
    let title = sqlx::query_scalar::<_, String>("SELECT title FROM notes").fetch_one(&former);
    assert_eq!(within(home.deployment.scope(3), title).await.unwrap(), "of 3");
    // But what has another text now is not opened.
    let other = home.deployment.another(|_| {});
    other.migrate(&migrator(&[TABLES])).await.unwrap();
    let text = "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1";
    sqlx::query(text).execute(&mut home.file(3).await).await.unwrap();
    let title = sqlx::query_scalar::<_, String>("SELECT title FROM notes").fetch_one(&other);
    within(home.deployment.scope(3), title).await.unwrap_err();
}

#[tokio::test]
async fn what_fails_is_named_and_leaves_nothing() {
    let home = Home::new().await;
    home.execute(11, "CREATE TABLE colours (mine TEXT)").await;
    let problem = "the rows of t11 cannot be worked on: migration 4 (test) has failed, after 2 that stay: \
                   error returned from database: (code: 1) table colours already exists";
    assert_eq!(home.problem(11).await, problem);
    assert_eq!(versions(&home.rows.pending(&tenant(11)).await.unwrap().unwrap()), [4]);
    assert!(home.migrated(11).await.is_empty());
    home.execute(11, "INSERT INTO notes (title) VALUES ('works on')").await;
    home.execute(11, "DROP TABLE colours").await;
    assert_eq!(home.rows.migrate(&tenant(11)).await.unwrap(), 1);
    assert_eq!(home.migrated(11).await, ["migrated"]);
}

#[tokio::test]
async fn what_is_not_the_applications_is_not_touched() {
    let home = Home::new().await;
    let former = rows(&home.deployment).migrated_by(&migrator(&[TABLES]));
    home.rows.migrate(&tenant(3)).await.unwrap();
    let error = former.migrate(&tenant(3)).await.unwrap_err().source.to_string();
    assert!(error.starts_with("migration 2 was applied, and is not among the application's"), "{error}");
    assert_eq!(former.pending(&tenant(3)).await.unwrap_err().source.to_string(), error);
    let other = rows(&home.deployment).migrated_by(&migrator(&["CREATE TABLE others (a)"]));
    let error = other.migrate(&tenant(11)).await.unwrap_err().source.to_string();
    assert!(error.starts_with("migration 1 (test) was applied with another text"), "{error}");
    assert_eq!(other.pending(&tenant(11)).await.unwrap_err().source.to_string(), error);
    let error = rows(&home.deployment).migrate(&tenant(11)).await.unwrap_err().source.to_string();
    assert!(error.contains("database.migrations"), "{error}");
}

#[tokio::test]
async fn nothing_is_made_where_nothing_is() {
    let deployment = Deployment::new();
    let rows = rows(&deployment).migrated_by(&all());
    assert_eq!(versions(&rows.pending_shared().await.unwrap()), [1, 2, 3, 4]);
    assert_eq!(rows.pending(&tenant(3)).await.unwrap(), None);
    assert_eq!(rows.migrate(&tenant(3)).await.unwrap(), 0);
    assert!(std::fs::read_dir(deployment.folder.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn dropped_anywhere_it_is_done_once() {
    let mut dropped = 0;
    for polls in (1..200).step_by(5) {
        let home = Home::new().await;
        let done = dropped_after(polls, home.rows.migrate(&tenant(3))).await;
        dropped += usize::from(done.is_none());
        home.execute(3, "INSERT INTO notes (title) VALUES ('works on')").await;
        home.rows.migrate(&tenant(3)).await.unwrap();
        assert_eq!(home.migrated(3).await, ["migrated"], "{polls}");
        if done.is_some() {
            break;
        }
    }
    assert!(dropped > 0);
}

#[tokio::test]
async fn those_who_come_at_once_do_it_once() {
    let home = Home::new().await;
    let opened = home.deployment.another(|_| {});
    opened.migrate(&all()).await.unwrap();
    let id = 12;
    let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM colours").fetch_one(&opened);
    let own = tenant(id);
    let (one, two, served) =
        tokio::join!(home.rows.migrate(&own), home.rows.migrate(&own), within(home.deployment.scope(id), count));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(served.unwrap(), 0);
    assert_eq!(home.migrated(id).await, ["migrated"]);
}

#[tokio::test]
async fn a_lock_is_not_waited_for_without_end() {
    let home = Home::new().await;
    let mut file = home.file(3).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut file).await.unwrap();
    let rows = rows(&home.deployment).migrated_by(&all()).lock_wait_max(Duration::from_millis(10));
    let error = rows.migrate(&tenant(3)).await.unwrap_err().source.to_string();
    assert!(error.contains("since it got no lock within migrate.lock_wait_max"), "{error}");
    sqlx::raw_sql("ROLLBACK").execute(&mut file).await.unwrap();
    assert_eq!(rows.migrate(&tenant(3)).await.unwrap(), 3);
}
