//! Pools and connections whose statements stay with one tenant's rows.
//!
//! ```text
//! statement ─► ScopedPool ── current scope ──► lease ─► plan ─► connection
//!              ScopedConnection, ScopedTransaction ──────┘
//! ```

mod connection;
mod counted;
mod database;
mod error;
mod execute;
mod explain;
mod first_use;
mod lease;
mod moved;
mod nowhere;
mod own;
mod pool;
mod rows;
mod rows_max;
mod savepoint;
mod stale;
mod statement;
mod time_max;
mod transaction;

pub use self::{
    connection::ScopedConnection, database::Scopable, error::ScopeError, explain::Explain, pool::ScopedPool,
    transaction::ScopedTransaction,
};
pub(crate) use self::{
    lease::{Lease, Leased, Planning, Source, Statements},
    rows::Rows,
    stale::beginning,
};
