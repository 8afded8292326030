//! Databases that tenants have of their own are migrated while they are served.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, Row};
use tenantry_core::{MigratableRows, MigrationName, Placement};

use super::*;
use crate::bad_luck::dropped_after;

/// What a later version of the application has: `*` has other columns.
const LATER: [&str; 3] = [
    "ALTER TABLE notes ADD COLUMN colour text DEFAULT 'red'",
    "ALTER TABLE accounts ALTER COLUMN money TYPE bigint",
    "CREATE TABLE colours (name text); INSERT INTO words VALUES ('migrated')",
];

fn all() -> Migrator {
    migrator(&[SCHEMA, LATER[0], LATER[1], LATER[2]])
}

fn versions(pending: &[MigrationName]) -> Vec<i64> {
    pending.iter().map(|migration| migration.version).collect()
}

impl Home {
    /// With rows of all tenants, and the migrations of a later version.
    async fn later() -> Self {
        let mut home = Self::used(&[ACME, INITECH, HOOLI]).await;
        home.rows = PgRows::new(home.options.clone()).migrated_by(&all());
        home
    }

    async fn own(&self, id: i64) -> PgConnection {
        let name = format!("{}_{id}", self.database.name());
        PgConnection::connect_with(&self.options.application.clone().database(&name)).await.unwrap()
    }

    async fn times_migrated(&self, id: i64) -> i64 {
        let text = "SELECT count(*) FROM words WHERE word = 'migrated'";
        sqlx::query_scalar(text).fetch_one(&mut self.own(id).await).await.unwrap()
    }

    async fn problem(&self, rows: &PgRows, id: i64) -> String {
        let error = rows.migrate(&tenant(id)).await.unwrap_err();
        format!("{error}: {}", error.source)
    }
}

#[tokio::test]
async fn each_gets_what_it_needs_and_once() {
    let home = Home::later().await;
    assert_eq!(versions(&home.rows.pending_shared().await.unwrap()), [2, 3, 4]);
    assert_eq!(home.rows.migrate_shared().await.unwrap(), 3);
    assert_eq!(home.rows.migrate_shared().await.unwrap(), 0);
    assert_eq!(home.rows.pending_shared().await.unwrap(), []);
    home.execute(ACME, "INSERT INTO colours VALUES ('red')").await;
    for id in [INITECH, HOOLI] {
        assert_eq!(versions(&home.rows.pending(&tenant(id)).await.unwrap().unwrap()), [2, 3, 4]);
        assert_eq!(home.rows.migrate(&tenant(id)).await.unwrap(), 3);
        assert_eq!(home.rows.migrate(&tenant(id)).await.unwrap(), 0);
        assert_eq!(home.rows.pending(&tenant(id)).await.unwrap().unwrap(), []);
        assert_eq!(home.times_migrated(id).await, 1);
    }
}

#[tokio::test]
async fn who_is_served_meanwhile_goes_on() {
    let home = Home::later().await;
    let pool = &home.pool;
    let star = || sqlx::query("SELECT * FROM notes ORDER BY id");
    let returning = || sqlx::query("UPDATE notes SET title = title WHERE id = 1 RETURNING *");
    let typed = || sqlx::query("SELECT money FROM accounts WHERE id = $1").bind(1_i32);
    home.as_tenant(INITECH, async {
        let mut held = pool.acquire().await.unwrap();
        // More than one connection has these prepared.
        let ((), ()) = tokio::join!(
            async {
                star().fetch_one(pool).await.unwrap();
                typed().fetch_one(pool).await.unwrap();
                returning().fetch_one(pool).await.unwrap();
            },
            async {
                star().fetch_all(pool).await.unwrap();
                typed().fetch_optional(pool).await.unwrap();
            }
        );
        let before = star().fetch_one(&mut held).await.unwrap().len();
        home.rows.migrate(&tenant(INITECH)).await.unwrap();
        let is_as_migrated = |row: sqlx::postgres::PgRow| {
            assert_eq!(row.len(), before + 1);
            assert_eq!((row.get::<&str, _>("title"), row.get::<&str, _>("colour")), ("initech", "red"));
        };
        // What runs by itself is run on a connection that knows the new columns.
        is_as_migrated(star().fetch_one(pool).await.unwrap());
        is_as_migrated(star().fetch_all(pool).await.unwrap().remove(0));
        is_as_migrated(returning().fetch_one(pool).await.unwrap());
        for _ in 0..3 {
            assert_eq!(typed().fetch_one(pool).await.unwrap().get::<i64, _>(0), 100);
        }
        // Whoever holds one is told, once.
        let error = star().fetch_one(&mut held).await.unwrap_err();
        assert!(error.to_string().contains("cached plan must not change result type"), "{error}");
        is_as_migrated(star().fetch_one(&mut held).await.unwrap());
        let mut transaction = pool.begin().await.unwrap();
        is_as_migrated(star().fetch_one(&mut *transaction).await.unwrap());
        is_as_migrated(returning().fetch_one(&mut *transaction).await.unwrap());
        transaction.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_of_the_former_version_opens_what_was_migrated() {
    let home = Home::later().await;
    home.rows.migrate(&tenant(INITECH)).await.unwrap();
    let former = ScopedPool::postgres(home.options.clone(), Some(Arc::clone(&home.admission)));
    former.migrate(&schema()).await.unwrap();
    let title = sqlx::query_scalar::<_, String>("SELECT title FROM notes ORDER BY id").fetch_one(&former);
    assert_eq!(home.as_tenant(INITECH, title).await.unwrap(), "initech");
}

#[tokio::test]
async fn what_fails_is_named_and_leaves_nothing() {
    let home = Home::later().await;
    home.execute(INITECH, "CREATE TABLE colours (mine text)").await;
    let problem = "the rows of initech cannot be worked on: migration 4 (test) has failed, after 2 that stay: \
                   error returned from database: relation \"colours\" already exists";
    let found = home.problem(&home.rows, INITECH).await;
    assert!(found.starts_with(problem), "{found}");
    assert_eq!(versions(&home.rows.pending(&tenant(INITECH)).await.unwrap().unwrap()), [4]);
    assert_eq!(home.times_migrated(INITECH).await, 0);
    home.execute(INITECH, "INSERT INTO words VALUES ('works on')").await;
    home.execute(INITECH, "DROP TABLE colours").await;
    assert_eq!(home.rows.migrate(&tenant(INITECH)).await.unwrap(), 1);
    // Of another version than the application's.
    let former = PgRows::new(home.options.clone()).migrated_by(&schema());
    let error = home.problem(&former, INITECH).await;
    assert!(error.contains("migration 2 was applied, and is not among the application's"), "{error}");
    let other = PgRows::new(home.options.clone()).migrated_by(&migrator(&["CREATE TABLE others (a int)"]));
    let error = home.problem(&other, HOOLI).await;
    assert!(error.contains("migration 1 (test) was applied with another text"), "{error}");
    let error = home.problem(&PgRows::new(home.options.clone()), HOOLI).await;
    assert!(error.contains("database.migrations"), "{error}");
}

#[tokio::test]
async fn what_fails_on_shared_tables_names_nobody() {
    let home = Home::later().await;
    let unique = migrator(&[SCHEMA, "CREATE UNIQUE INDEX one ON notes (title)"]);
    home.execute(ACME, "INSERT INTO notes (title) VALUES ('secret'), ('secret')").await;
    let rows = PgRows::new(home.options.clone()).migrated_by(&unique);
    let error = rows.migrate_shared().await.unwrap_err().to_string();
    assert!(error.starts_with("migration 2 (test) has failed: "), "{error}");
    assert!(!error.contains("secret") && !error.contains("acme"), "{error}");
    assert_eq!(versions(&rows.pending_shared().await.unwrap()), [2]);
}

#[tokio::test]
async fn nothing_is_made_where_nothing_is() {
    let home = Home::bare().await;
    let rows = PgRows::new(home.options.clone()).migrated_by(&all());
    assert_eq!(versions(&rows.pending_shared().await.unwrap()), [1, 2, 3, 4]);
    assert_eq!(rows.pending(&tenant(INITECH)).await.unwrap(), None);
    assert_eq!(rows.migrate(&tenant(INITECH)).await.unwrap(), 0);
    assert!(home.databases().await.is_empty());
    let text = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenantry%'";
    let schemas: i64 = sqlx::query_scalar(text).fetch_one(&mut home.admin().await).await.unwrap();
    assert_eq!(schemas, 0);
    let mut shared = tenant(INITECH);
    shared.placement = Placement::Shared;
    assert_eq!(rows.pending(&shared).await.unwrap(), None);
}

#[tokio::test]
async fn dropped_anywhere_it_is_done_once() {
    let (mut dropped, mut home) = (0, Home::later().await);
    for polls in (1..200).step_by(7) {
        let done = dropped_after(polls, home.rows.migrate(&tenant(INITECH))).await;
        dropped += usize::from(done.is_none());
        home.rows.migrate(&tenant(INITECH)).await.unwrap();
        assert_eq!(home.times_migrated(INITECH).await, 1, "{polls}");
        if done.is_some() {
            break;
        }
        home = Home::later().await;
    }
    assert!(dropped > 0);
}

#[tokio::test]
async fn those_who_come_at_once_do_it_once() {
    let home = Home::later().await;
    let opened = ScopedPool::postgres(home.options.clone(), Some(Arc::clone(&home.admission)));
    home.rows.migrate_shared().await.unwrap();
    opened.migrate(&all()).await.unwrap();
    let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM colours").fetch_one(&opened);
    let own = tenant(INITECH);
    let (one, two, served) =
        tokio::join!(home.rows.migrate(&own), home.rows.migrate(&own), home.as_tenant(INITECH, count));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!((served.unwrap(), home.times_migrated(INITECH).await), (0, 1));
}

#[tokio::test]
async fn a_lock_is_not_waited_for_without_end() {
    let home = Home::later().await;
    let mut own = home.own(INITECH).await;
    sqlx::raw_sql("BEGIN; SELECT * FROM notes").execute(&mut own).await.unwrap();
    let rows = PgRows::new(home.options.clone()).migrated_by(&all()).lock_wait_max(Duration::from_millis(10));
    let error = home.problem(&rows, INITECH).await;
    assert!(
        error.contains("migration 2 (test) has failed, since it got no lock within migrate.lock_wait_max"),
        "{error}"
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut own).await.unwrap();
    // Somebody else migrates.
    sqlx::migrate::Migrate::lock(&mut own).await.unwrap();
    let error = home.problem(&rows, INITECH).await;
    assert!(error.ends_with("since it got no lock within migrate.lock_wait_max"), "{error}");
    own.close().await.unwrap();
    assert_eq!(home.rows.migrate(&tenant(INITECH)).await.unwrap(), 3);
}
