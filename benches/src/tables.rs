//! Tables with the rows of many tenants, and the same with those of one.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use sqlx::{
    AssertSqlSafe, Connection, SqlSafeStr, Sqlite, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tenantry::{Admission, Mirror, Plans, Scope, ScopedPool, SqliteOptions, Tenant, TenantId, within};

/// How many tenants there are, and how many rows each has.
pub const TENANTS: i64 = 1_000;
/// The rows of each tenant.
pub const ROWS: i64 = 1_000;

const SCHEMA: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, title TEXT, body TEXT);
    CREATE INDEX notes_by_user ON notes (user_id)";
const ROWS_OF: &str = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 1000)";

/// Shared tables; beside them a table with a tenant column as one would write it by hand. The scope is that of a tenant in
/// the middle.
///
/// # Errors
///
/// When SQLite fails.
pub async fn shared(folder: &Path) -> anyhow::Result<(ScopedPool<Sqlite>, Scope)> {
    let file = folder.join("shared.db");
    let pool = pool(folder);
    pool.migrate(&migrator(&[SCHEMA])).await?;
    let admission = admission(TENANTS);
    let mut raw = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await?;
    let fill = format!(
        "BEGIN; CREATE TABLE by_hand (tenant_id INTEGER, id INTEGER, user_id INTEGER, title TEXT, body TEXT,
            PRIMARY KEY (tenant_id, id)) WITHOUT ROWID;
         {ROWS_OF}, t(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM t WHERE id < {TENANTS})
         INSERT INTO by_hand SELECT t.id, n.id, n.id % 10, 'note ' || n.id, 'body of ' || n.id FROM t, n ORDER BY 1, 2;
         COMMIT"
    );
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut raw).await?;
    raw.close().await?;
    let fill = format!("{ROWS_OF} INSERT INTO notes SELECT id, id % 10, 'note ' || id, 'body of ' || id FROM n");
    for id in 1..=TENANTS {
        let scope = admission.admit_id(TenantId::new(id)).map_err(anyhow::Error::msg)?;
        within(scope, sqlx::query(AssertSqlSafe(fill.as_str())).execute(&pool)).await?;
    }
    let scope = admission.admit_id(TenantId::new(TENANTS / 2)).map_err(anyhow::Error::msg)?;
    Ok((pool, scope))
}

/// A database with the rows of one tenant.
///
/// # Errors
///
/// When SQLite fails.
pub async fn private(file: &Path) -> anyhow::Result<SqliteConnection> {
    // As the shared file is, whose readers take no locks.
    let options =
        SqliteConnectOptions::new().filename(file).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let fill =
        format!("{SCHEMA}; {ROWS_OF} INSERT INTO notes SELECT id, id % 10, 'note ' || id, 'body of ' || id FROM n");
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut connection).await.context("a private database")?;
    Ok(connection)
}

/// A pool over shared tables in `folder`, for tenants that nobody has to admit again.
pub fn pool(folder: &Path) -> ScopedPool<Sqlite> {
    ScopedPool::sqlite(SqliteOptions::new(folder.join("shared.db"), folder.join("own")), None)
}

/// Admission of tenants 1 to `count`.
pub fn admission(count: i64) -> Admission {
    let slug = |id| format!("t{id}").parse().ok();
    let tenants = (1..=count).filter_map(|id| Some(Tenant::new(TenantId::new(id), slug(id)?)));
    Admission::new(Arc::new(Mirror::from_iter(tenants)), Plans::default())
}

/// Migrations with these texts.
pub fn migrator(scripts: &[&str]) -> Migrator {
    let migrations = scripts.iter().zip(1..).map(|(script, version)| {
        let script = AssertSqlSafe(*script).into_sql_str();
        Migration::new(version, "bench".into(), MigrationType::Simple, script, false)
    });
    Migrator::with_migrations(migrations.collect())
}
