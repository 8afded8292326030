//! The database, where it is PostgreSQL: its types, under the names the rest of
//! the application uses, and how to open it.

use std::str::FromStr;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// The kind of database.
pub type Backend = sqlx::Postgres;

/// A pool of connections.
pub type Db = sqlx::Pool<Backend>;

/// A transaction begun on a [`Db`].
pub type Tx = sqlx::Transaction<'static, Backend>;

/// A row, before it becomes one of the models.
pub type Row = sqlx::postgres::PgRow;

/// The values bound to a statement.
pub type Arguments = sqlx::postgres::PgArguments;

/// A statement put together from parts.
pub type Builder = sqlx::QueryBuilder<Backend>;

/// A statement whose rows become `T`.
pub type Select<'q, T> = sqlx::query::QueryAs<'q, Backend, T, Arguments>;

const MAX_CONNECTIONS: u32 = 5;

/// Opens the database at `url`, which has to be there.
pub async fn connect(url: &str) -> anyhow::Result<Db> {
    let options = PgConnectOptions::from_str(url).context("this is not the URL of a PostgreSQL database")?;
    PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .connect_with(options)
        .await
        .context("cannot open the database")
}

/// Brings the schema up to date.
pub async fn migrate(db: &Db) -> anyhow::Result<()> {
    sqlx::migrate!("migrations/postgres").run(db).await.context("cannot migrate the database")
}
