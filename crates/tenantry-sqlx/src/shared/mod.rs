//! A SQLite file whose tables tenants share.
//!
//! | module | what it has |
//! |---|---|
//! | [`adopt`] | an existing instance becomes a tenant |
//! | `clock` | when a statement on a database of a tenant's own is stopped |
//! | `companions` | a database's file, and what is beside it |
//! | `connect` | connections, and the pool of them |
//! | `dedicated` | the file that a tenant has of its own |
//! | `keeper` | the schema as the application knows it: read, watched, changed by migrations |
//! | `migrator` | migrations as sqlx runs them |
//! | `migrate` | what a migration does, once for all tenants |
//! | `owner` | the connection that owns the schema |
//! | `plane` | the rows of a tenant counted, erased, copied |
//! | `portable` | rows that are given out and taken in elsewhere |
//! | `provision` | the rows that a tenant begins with |
//! | `source` | leases, for tenants with shared tables and for those with a database of their own |
//! | `statistics` | what the planner believes |
//! | `store` | the tables of Tenantry itself |
//! | `template` | the application's schema in memory, where SQLite says what it means |

pub mod adopt;
mod clock;
mod companions;
mod connect;
mod dedicated;
mod keeper;
mod migrate;
mod migrator;
mod owner;
mod plane;
pub(crate) mod portable;
mod provision;
mod source;
mod statistics;
mod store;
mod template;

pub use self::{
    plane::{MoveError, RowsError, RowsMove, SqliteRows},
    source::SqliteOptions,
};
