//! SeaORM for applications whose tenants share tables.
//!
//! [`ScopedDatabase`] takes the place of SeaORM's `DatabaseConnection`: entities, queries, raw statements, streams and
//! transactions work on it as they do there, and each statement runs for the tenant whose scope is current. Without a scope
//! nothing runs, and there is no way to the connection below.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sea_orm::{ConnectionTrait, Statement};
//! use tenantry_seaorm::{ScopedDatabase, scope_error};
//! use tenantry_sqlx::{ScopedPool, SqliteOptions};
//!
//! # let folder = tempfile::tempdir()?;
//! let options = SqliteOptions::new(folder.path().join("shared.db"), folder.path().join("own"));
//! let db = ScopedDatabase::from(ScopedPool::sqlite(options, None));   // was Database::connect(…).await?
//!
//! let count = Statement::from_string(db.get_database_backend(), "SELECT count(*) FROM cake");
//! let refused = db.query_one_raw(count).await.unwrap_err();
//! assert!(scope_error(&refused).is_some(), "there is no scope here");
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! They are those of SeaORM: [`DbErr::sql_err`](sea_orm::DbErr::sql_err) tells a violated key as it does on a connection
//! of SeaORM's own. A refusal of Tenantry is the `sqlx` error within; [`scope_error`] finds it.
//!
//! # Schema
//!
//! Migrations run once for all tenants, by [`ScopedPool::migrate`](tenantry_sqlx::ScopedPool::migrate). They are those of
//! sqlx, or those of SeaORM, as [`MigrationRecording`] says, on SQLite and on PostgreSQL. For a first one,
//! `Schema::create_table_from_entity` says what creates the tables of entities.
//!
//! # What differs
//!
//! * `sea-orm`'s `sqlx_logging` and the like are options of its own pool, and there is none here; statements are logged by
//!   `sqlx` as it does by default.
//! * A transaction that is committed while one that was begun within it is still open is an error, and nothing of it is
//!   kept. SeaORM commits the inner one instead, and undoes the outer one.
//! * A transaction whose outer one has ended runs nothing any more. With SeaORM its statements run outside any transaction.

mod backend;
mod database;
mod error;
mod migration;
mod session;
mod statement;
mod stream;
mod transaction;

pub use self::{
    backend::Backend,
    database::ScopedDatabase,
    error::scope_error,
    migration::{MigrationRecording, MigrationRefused},
    stream::ScopedStream,
    transaction::ScopedDatabaseTransaction,
};
