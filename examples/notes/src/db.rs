//! The database: its types, under the names the rest of the application uses,
//! and how to open it.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// The kind of database.
pub type Backend = sqlx::Sqlite;

/// A pool of connections.
pub type Db = sqlx::Pool<Backend>;

/// A transaction begun on a [`Db`].
pub type Tx = sqlx::Transaction<'static, Backend>;

/// A row, before it becomes one of the models.
pub type Row = sqlx::sqlite::SqliteRow;

/// The values bound to a statement.
pub type Arguments = sqlx::sqlite::SqliteArguments;

/// A statement put together from parts.
pub type Builder = sqlx::QueryBuilder<Backend>;

/// A statement whose rows become `T`.
pub type Select<'q, T> = sqlx::query::QueryAs<'q, Backend, T, Arguments>;

const MAX_CONNECTIONS: u32 = 5;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the database at `url`, creating its file if there is none.
pub async fn connect(url: &str) -> anyhow::Result<Db> {
    let options = SqliteConnectOptions::from_str(url)
        .with_context(|| format!("{url} is not a database URL"))?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT);
    SqlitePoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .connect_with(options)
        .await
        .with_context(|| format!("cannot open {url}"))
}

/// Brings the schema up to date.
pub async fn migrate(db: &Db) -> anyhow::Result<()> {
    sqlx::migrate!("migrations/sqlite").run(db).await.context("cannot migrate the database")
}
