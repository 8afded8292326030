//! PostgreSQL for tests: real servers, which are gone afterwards.
//!
//! Every test has a [`TestDatabase`] of its own, on the server that `TENANTRY_TEST_POSTGRES` names (the URL of a role that
//! may create databases and roles). `scripts/postgres with COMMAND…` runs a command with such a server. A test that has to
//! stop the server starts one for itself, a [`TestServer`].
//!
//! ```no_run
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let database = tenantry_test::server::TestDatabase::new().await?;
//! let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect(database.url()).await?;
//! # Ok(())
//! # }
//! ```

mod database;
mod error;
mod own;

pub use self::{
    database::{TestDatabase, TestRole},
    error::ServerError,
    own::TestServer,
};
