//! The catalog in one SQLite file.
//!
//! | module | |
//! |---|---|
//! | `store` | [`SqliteCatalog`]: opening it, reading it, following it |
//! | `audit` | who did what: an entry with each write |
//! | `ledger` | operations, step by step |
//! | `once` | what was good for one use |
//! | `write` | its writes, each a transaction |
//! | `schema` | the tables, and the steps that lead to them |
//! | `file` | whether it is still the file that was opened |
//! | `failure` | what can go wrong, in words that say what to do |

mod audit;
mod failure;
mod file;
mod ledger;
mod once;
mod schema;
mod store;
mod write;

pub use self::store::SqliteCatalog;
