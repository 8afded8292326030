//! The database: its types, under the names the rest of the application uses,
//! and how to open it.

use anyhow::Context;

/// The kind of database.
pub type Backend = sqlx::Sqlite;

/// A pool of connections.
pub type Db = tenantry::ScopedPool<Backend>;

/// A transaction begun on a [`Db`].
pub type Tx = tenantry::ScopedTransaction<'static, Backend>;

/// A row, before it becomes one of the models.
pub type Row = sqlx::sqlite::SqliteRow;

/// The values bound to a statement.
pub type Arguments = sqlx::sqlite::SqliteArguments;

/// A statement put together from parts.
pub type Builder = sqlx::QueryBuilder<Backend>;

/// A statement whose rows become `T`.
pub type Select<'q, T> = sqlx::query::QueryAs<'q, Backend, T, Arguments>;

/// Brings the schema up to date.
pub async fn migrate(db: &Db) -> anyhow::Result<()> {
    db.migrate(&sqlx::migrate!("../notes/migrations/sqlite")).await.context("cannot migrate the database")
}
