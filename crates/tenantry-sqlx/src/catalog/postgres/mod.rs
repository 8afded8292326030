//! The catalog in a PostgreSQL database, in the schema `tenantry`.
//!
//! | module | what it has |
//! |---|---|
//! | `store` | [`PgCatalog`]: opening it, reading it, following it |
//! | `audit` | who did what: an entry with each write |
//! | `ledger` | operations, step by step |
//! | `once` | what was good for one use |
//! | `write` | its writes, each a transaction |
//! | `listen` | what another process's write wakes |
//! | `schema` | the tables, and the steps that lead to them |
//! | `place` | where it is: the URL, without what is secret |
//! | `failure` | what can go wrong, in words that say what to do |

mod audit;
mod failure;
mod ledger;
mod listen;
mod once;
mod place;
mod schema;
mod store;
mod write;

pub use self::store::PgCatalog;
