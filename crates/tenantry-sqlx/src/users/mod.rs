//! Stores of local users: in one SQLite file, or in a PostgreSQL database (feature `postgres`).

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

#[cfg(feature = "postgres")]
pub use self::postgres::PgUsers;
pub use self::sqlite::SqliteUsers;
