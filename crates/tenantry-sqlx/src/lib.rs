//! Tenantry on sqlx: the catalog of tenants, the tables that tenants share, and stores for what else they have.
//!
//! [`SqliteCatalog`] is the durable registry in one SQLite file, `PgCatalog` (feature `postgres`) that in a PostgreSQL
//! database; [`follow`] keeps a [`tenantry_core::Mirror`] up to date with any catalog. [`ScopedPool`] takes the place of an
//! application's pool, and confines each of its statements to the tenant whose scope is current.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("tenantry.db");
//! use std::sync::Arc;
//! use tenantry_core::{Catalog, Mirror, NewTenant};
//! use tenantry_sqlx::{FollowOptions, OpenOptions, SqliteCatalog};
//!
//! let catalog = Arc::new(SqliteCatalog::open(&path, OpenOptions::create_if_missing()).await?);
//! let mirror = Arc::new(Mirror::new());
//! let follower = catalog.follow(Arc::clone(&mirror), FollowOptions::default()).await?;
//!
//! catalog.create(NewTenant::new("acme".parse()?)).await?;
//! follower.catch_up().await?;
//! assert!(mirror.by_slug(&"acme".parse()?).is_some());
//! # Ok(())
//! # }
//! ```

pub mod catalog;
#[cfg(feature = "jobs")]
pub mod jobs;
#[cfg(feature = "postgres")]
mod line;
#[cfg(feature = "postgres")]
mod lines;
mod migrations;
mod native;
mod owner_only;
#[cfg(feature = "postgres")]
mod parameters;
pub mod portable;
#[cfg(feature = "postgres")]
mod postgres;
pub mod recorder;
mod room;
pub mod scoped;
mod shared;
mod store_file;
pub mod usage;
#[cfg(feature = "directory")]
pub mod users;

#[cfg(feature = "postgres")]
pub use self::parameters::unknown_parameter;
#[cfg(feature = "postgres")]
pub use self::postgres::{Finding, Ids, PgRows, PostgresOptions, Severity, doctor};
#[cfg(feature = "postgres")]
pub use catalog::PgCatalog;
pub use catalog::{FollowOptions, Follower, OpenOptions, SqliteCatalog, follow};
pub use migrations::MigrationError;
pub use scoped::{Explain, ScopeError, ScopedConnection, ScopedPool, ScopedTransaction};
pub use shared::{MoveError, RowsError, RowsMove, SqliteOptions, SqliteRows, adopt};
