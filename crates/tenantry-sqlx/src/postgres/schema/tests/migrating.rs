//! Migrations: once, whole or not at all.

use sqlx::{Connection, PgConnection, migrate::MigrateError, postgres::PgListener};
use tenantry_sql::Limits;

use super::{Home, migrate, migration, migrator, provision};

#[tokio::test]
async fn rows_are_changed_for_each_tenant() {
    let mut home = Home::with("CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'seed')").await;
    home.tenants(&[4, 5], "INSERT INTO tenantry_shared.t (id, a) VALUES (2, 'of $T')").await;
    home.migrate("INSERT INTO t VALUES (3, 'later'); UPDATE t SET a = upper(a); DELETE FROM t WHERE id = 1; SELECT 1")
        .await
        .unwrap();
    for tenant in [4, 5] {
        let rows = home.column(tenant, "SELECT a FROM tenantry_shared.t ORDER BY id").await;
        assert_eq!(rows, [format!("OF {tenant}"), "LATER".to_owned()]);
    }
    provision(&mut home.owner, 6).await.unwrap();
    assert_eq!(home.column(6, "SELECT a FROM tenantry_shared.t").await, ["LATER"]);
    assert!(home.ask("SELECT id::text FROM public.t").await.is_empty());
}

#[tokio::test]
async fn one_that_fails_leaves_nothing() {
    let mut home = Home::with("CREATE TABLE t (id int PRIMARY KEY)").await;
    home.tenants(&[1, 2], "SELECT 1").await;
    let everything = "SELECT string_agg(relname || relnamespace::regnamespace::text, ' ' ORDER BY 1) FROM pg_class \
                      WHERE relnamespace::regnamespace::text IN ('public', 'tenantry', 'tenantry_shared') \
                      UNION ALL SELECT version::text FROM tenantry.meta";
    let before = home.ask(everything).await;
    let script = "ALTER TABLE t RENAME TO u; CREATE TABLE v (id serial PRIMARY KEY REFERENCES u); \
                  INSERT INTO u VALUES (1); INSERT INTO v VALUES (1); INSERT INTO v VALUES (2)";
    let text = home.failure(script).await;
    assert!(text.contains("violates foreign key"), "{text}");
    assert_eq!(home.ask(everything).await, before);
    for tenant in [1, 2] {
        assert!(home.column(tenant, "SELECT id::text FROM tenantry_shared.t").await.is_empty());
    }
    home.migrate("INSERT INTO t VALUES (7)").await.unwrap();
    assert_eq!(home.column(2, "SELECT id::text FROM tenantry_shared.t").await, ["7"]);
}

#[tokio::test]
async fn two_processes_at_once_run_each_once() {
    let mut home = Home::new().await;
    home.tenants(&[1], "SELECT 1").await;
    let mut other = PgConnection::connect(home.database.url()).await.unwrap();
    let migrations = [
        migration(1, "CREATE TABLE t (id serial PRIMARY KEY)", false),
        migration(2, "INSERT INTO t DEFAULT VALUES", false),
    ];
    let migrator = migrator(&migrations);
    let (one, two) = tokio::join!(
        migrate(&mut home.owner, &migrator, Limits::default()),
        migrate(&mut other, &migrator, Limits::default())
    );
    one.unwrap();
    two.unwrap();
    assert_eq!(home.column(1, "SELECT count(*)::text FROM tenantry_shared.t").await, ["1"]);
    assert_eq!(home.ask("SELECT version::text FROM tenantry.meta").await, ["2"]);
}

#[tokio::test]
async fn what_was_run_is_remembered_with_its_checksum() {
    let mut home = Home::with("CREATE TABLE t (id int)").await;
    let changed = [migration(1, "CREATE TABLE t (id bigint)", false)];
    let error = migrate(&mut home.owner, &migrator(&changed), Limits::default()).await.unwrap_err();
    assert!(matches!(error.error, MigrateError::VersionMismatch(1)), "{error:?}");
    let error = migrate(&mut home.owner, &migrator(&[]), Limits::default()).await.unwrap_err();
    assert!(matches!(error.error, MigrateError::VersionMissing(1)), "{error:?}");
    // The record is no table of the application's, and whoever failed has let go of the lock.
    assert!(home.ask("SELECT relname::text FROM pg_class WHERE relname = '_sqlx_migrations' AND relnamespace = 'public'::regnamespace").await.is_empty());
    provision(&mut home.owner, 1).await.unwrap();
}

#[tokio::test]
async fn without_a_transaction_nothing_is_migrated() {
    let mut home = Home::new().await;
    let migrations = [migration(1, "-- no-transaction\nCREATE TABLE t (id int)", true)];
    let outcome = migrate(&mut home.owner, &migrator(&migrations), Limits::default()).await;
    assert_eq!(Home::code(outcome.map(drop).map_err(MigrateError::from)).unwrap().as_str(), "S13");
}

#[tokio::test]
async fn other_processes_are_told() {
    let mut home = Home::new().await;
    let mut listener = PgListener::connect(&home.application.url).await.unwrap();
    listener.listen("tenantry_schema").await.unwrap();
    home.migrate("CREATE TABLE t (id int)").await.unwrap();
    assert_eq!(listener.recv().await.unwrap().payload(), "1");
}

#[tokio::test]
async fn a_long_script_is_followed_in_reasonable_time() {
    let mut home = Home::new().await;
    let table = |at: usize| {
        format!(
            "CREATE TABLE t{at} (id serial PRIMARY KEY, a text UNIQUE, up int REFERENCES t{at}); CREATE INDEX ON t{at} (lower(a));"
        )
    };
    home.migrate(&(0..40).map(table).collect::<String>()).await.unwrap();
    let tables =
        "SELECT count(*)::text FROM pg_class WHERE relnamespace = 'tenantry_shared'::regnamespace AND relkind = 'r'";
    assert_eq!(home.ask(tables).await, ["40"]);
}
