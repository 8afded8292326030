//! Databases that write down what is run on them, for libraries whose migrations are code: they run here first, and what
//! they ran becomes a migration for all tenants.
//!
//! | module | |
//! |---|---|
//! | `postgres` | a schema on a server that is gone afterwards |
//! | `sqlite` | a database in memory |
//! | `wire` | what a client says to a server, read on its way |

#[cfg(all(feature = "postgres", unix))]
mod postgres;
mod sqlite;
#[cfg(all(feature = "postgres", unix))]
mod wire;

#[cfg(all(feature = "postgres", unix))]
pub use self::postgres::PgRecorder;
pub use self::sqlite::Recorder;
pub use crate::native::Ran;
