//! Jobs in a PostgreSQL database, in the schema `tenantry_jobs`.
//!
//! | module | |
//! |---|---|
//! | `store` | [`PgJobs`]: opening it, and what a broker does |
//! | `sql` | its statements |

mod sql;
mod store;

pub use self::store::PgJobs;
