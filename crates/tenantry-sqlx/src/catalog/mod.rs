//! Catalogs of tenants in a database, and the task that mirrors one in memory.
//!
//! | module | what it has |
//! |---|---|
//! | `sqlite` | [`SqliteCatalog`]: the store, its tables, its file |
//! | `postgres` | `PgCatalog` (feature `postgres`): the same in a PostgreSQL database |
//! | `open` | how either is opened |
//! | `operation` | an operation as a row |
//! | `record` | a tenant as a row, the same for every database |
//! | `pulse` | what a store tells its followers |
//! | `follow` | [`follow`]: from a catalog to a [`tenantry_core::Mirror`] |
//!
//! # Restoring a backup
//!
//! Back up with `sqlite3 tenantry.db "VACUUM INTO 'backup.db'"`, which can be done at any time. To restore, *move* the
//! backup to the place of the catalog while nobody creates or changes tenants. A running process notices the other
//! file and reads everything anew; a missing file, or one that cannot be read, is reported and changes nothing for the
//! tenants that are known. A catalog in PostgreSQL is backed up and restored with its database.

mod follow;
mod open;
mod operation;
#[cfg(feature = "postgres")]
mod postgres;
mod pulse;
mod record;
mod sqlite;

#[cfg(feature = "postgres")]
pub use self::postgres::PgCatalog;
pub use self::{
    follow::{FollowOptions, Follower, follow},
    open::OpenOptions,
    sqlite::SqliteCatalog,
};
