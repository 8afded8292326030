//! Local users in one SQLite file.

mod store;

pub use self::store::SqliteUsers;
