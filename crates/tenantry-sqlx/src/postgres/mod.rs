//! A PostgreSQL database whose tables tenants share.
//!
//! | module | what it has |
//! |---|---|
//! | `adopt` | an existing instance becomes a tenant |
//! | `budget` | how many connections there may be, and who waits for one |
//! | `connection` | connections of the application's role |
//! | `dedicated` | the databases that tenants have of their own |
//! | `examine` | whether row-level security holds, for operators |
//! | `explain` | how the server would run a statement |
//! | `failure` | errors, as a private database would say them |
//! | `ids` | where the ids of a shared table's rows come from |
//! | `held` | a connection that is checked out, and what becomes of it afterwards |
//! | `keeper` | the schema as the application knows it, and whether the second wall holds |
//! | `options` | where tenants' rows are |
//! | `plane` | the rows of a tenant counted, erased, copied |
//! | `portable` | rows that are given out and taken in elsewhere |
//! | `schema` | the shared tables, which follow the application's own; row-level security; what the server is asked |
//! | `source` | leases |

pub(crate) mod adopt;
mod budget;
mod connection;
mod dedicated;
mod examine;
mod explain;
mod failure;
mod held;
mod ids;
mod keeper;
mod options;
mod plane;
pub(crate) mod portable;
mod schema;
mod source;

pub(crate) use self::failure::is_stale;
pub use self::{
    examine::doctor,
    ids::Ids,
    options::PostgresOptions,
    plane::PgRows,
    schema::{Finding, Severity},
};
