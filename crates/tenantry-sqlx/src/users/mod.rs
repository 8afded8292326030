//! Stores of local users: in one SQLite file.

mod sqlite;

pub use self::sqlite::SqliteUsers;
