//! The catalog in one SQLite file.

mod failure;
mod file;
mod schema;
mod store;

pub use self::store::SqliteCatalog;
