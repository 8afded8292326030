//! Jobs in one SQLite file.
//!
//! | module | |
//! |---|---|
//! | `store` | [`SqliteJobs`]: opening it, and what a broker does |
//! | `sql` | its statements |

mod sql;
mod store;

pub use self::store::SqliteJobs;
