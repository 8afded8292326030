//! Why the schema is not what it has to be.

use thiserror::Error;

/// Why the schema cannot be used or changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum SchemaError {
    /// The database was set up by a later version.
    #[error(
        "the shared database has layout {layout}, which a later version of Tenantry made; use that version, or a later one"
    )]
    Layout {
        /// Its layout.
        layout: i32,
    },
    /// There are rows where there should be none.
    #[error(
        "table public.{table} has rows: this is the database of an instance; give Tenantry a database of its own, and bring \
         the instance in with `tenantry adopt <tenant> --from <URL>`"
    )]
    Inhabited {
        /// One of the tables that have rows.
        table: String,
    },
    /// There is no such role, or it is the owner.
    #[error("{role} cannot be the application's role: {why}; run CREATE ROLE … LOGIN, and name that")]
    Role {
        /// The role.
        role: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The server is too old.
    #[error("the server is PostgreSQL {version}; 15 or newer is needed")]
    Server {
        /// Its version.
        version: String,
    },
    /// The shared tables are not what the application's schema says.
    #[error("the shared tables do not correspond to the application's: {what}; `tenantry doctor` says more")]
    Apart {
        /// The first difference.
        what: String,
    },
    /// Migrations run.
    #[error("the schema is being migrated, so that tenant {tenant} cannot be made now; try again when that is done")]
    Migrating {
        /// The tenant.
        tenant: i64,
    },
}

impl From<SchemaError> for sqlx::Error {
    fn from(error: SchemaError) -> Self {
        Self::Configuration(error.into())
    }
}
