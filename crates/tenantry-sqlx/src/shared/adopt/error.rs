//! Why an instance was not adopted.

use std::path::PathBuf;

use tenantry_core::Slug;
use tenantry_sql::Refused;
use thiserror::Error;

use super::{agreement::Difference, source::SourceError};
use crate::scoped::ScopeError;

/// Why an instance was not adopted. Unless it says otherwise, nothing of it is visible.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source is a database on a PostgreSQL server, and cannot be read.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Server(#[from] crate::postgres::adopt::ServerError),
    /// The shared database has no schema yet.
    #[error("the shared database has no tables yet; start the application once, so that it migrates, and adopt then")]
    Unmigrated,
    /// The tenant is being served.
    #[error("tenant {0} is active, and could be served while its rows are incomplete; suspend it first")]
    Served(Slug),
    /// The tenant has rows of its own.
    #[error("tenant {tenant} has been used: its rows in {table} are not those of a new tenant; adopt into a new one")]
    Used {
        /// The tenant.
        tenant: Slug,
        /// A table with rows of it.
        table: String,
    },
    /// The tenant was adopted from another source, or from this one as it was before it was changed.
    #[error("tenant {tenant} was adopted from {from}, which was not as this source is now; adopt into a new tenant")]
    Otherwise {
        /// The tenant.
        tenant: Slug,
        /// Where its rows are from.
        from: String,
    },
    /// The schemas differ.
    #[error("the schema of the source differs from that of the shared database in {}", listed(.0))]
    Schema(Vec<Difference>),
    /// Something in the source has no shared form.
    #[error("{object} has no form that tenants can share: {refused}")]
    Refused {
        /// The table, index, view or trigger.
        object: String,
        /// Why.
        refused: Refused,
    },
    /// A hidden row id cannot be read.
    #[error("table {0} has columns called rowid, _rowid_ and oid, which hide its row ids; rename one of them")]
    HiddenRowId(String),
    /// A table that all tenants read has other rows in the source.
    #[error(
        "table {table} belongs to all tenants, and the source has other rows in it: {}; make them equal, or take it out \
         of database.global", keys.join("; ")
    )]
    Global {
        /// The table.
        table: String,
        /// The keys of the first rows that differ.
        keys: Vec<String>,
    },
    /// A row could not be inserted.
    #[error("a row of {table} cannot be a row of tenant {tenant}: {message}; repair it in the source")]
    Row {
        /// The tenant.
        tenant: Slug,
        /// The table.
        table: String,
        /// What the database says.
        message: String,
    },
    /// What arrived is not what was sent.
    #[error(
        "rows of tenant {tenant} in {table} differ from the source: {}; nothing of them is visible, and the next try \
         begins anew", keys.join("; ")
    )]
    Mismatch {
        /// The tenant.
        tenant: Slug,
        /// The table.
        table: String,
        /// The keys of the first rows that differ.
        keys: Vec<String>,
    },
    /// The source was changed.
    #[error("{0} was changed while it was read; stop the instance, and adopt it again")]
    Changed(PathBuf),
    /// Another process took over, or migrated the shared database.
    #[error(
        "the adoption of tenant {0} was interrupted by another one, or by a migration of the shared database; adopt it \
         again"
    )]
    Interrupted(Slug),
    /// It was asked to stop.
    #[error("the adoption of tenant {0} was stopped; adopt it again to go on")]
    Stopped(Slug),
    /// The connection ended while the server was asked to make everything visible.
    #[error(
        "the connection ended just when the rows of tenant {0} were to become visible; adopt it again, which says whether \
         they have"
    )]
    InDoubt(Slug),
    /// The tenant has a database of its own on a PostgreSQL server.
    #[error(
        "tenant {tenant} has a database of its own, which PostgreSQL's tools fill: as an administrator, CREATE DATABASE \
         \"{database}\" OWNER \"{role}\" TEMPLATE template0; then pg_dump --no-owner --no-privileges <source>, and what it \
         prints into psql -1 -v ON_ERROR_STOP=1 as {role}; then `tenantry tenant resume {tenant}`"
    )]
    OwnDatabase {
        /// The tenant.
        tenant: Slug,
        /// What its database is called.
        database: String,
        /// Who owns it.
        role: String,
    },
    /// The tenant has a database of its own already.
    #[error("tenant {tenant} has a database of its own, {path}, with other rows; adopt into a new tenant")]
    Exists {
        /// The tenant.
        tenant: Slug,
        /// Its database.
        path: PathBuf,
    },
    /// There is no way to adopt into such a placement.
    #[error("tenant {tenant} has the placement {placement}, into which nothing can be adopted")]
    Placement {
        /// The tenant.
        tenant: Slug,
        /// Its placement, as stored and shown.
        placement: &'static str,
    },
    /// A file cannot be read or written.
    #[error("{path} cannot be used: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The shared database fails.
    #[error("the shared database cannot be used: {0}")]
    Database(#[from] sqlx::Error),
}

impl AdoptError {
    /// Whether it was refused before anything was done for the tenant, so that the next call would be the first one.
    pub const fn is_before_all(&self) -> bool {
        #[cfg(feature = "postgres")]
        if matches!(self, Self::Server(_)) {
            return true;
        }
        matches!(
            self,
            Self::Source(_)
                | Self::Schema(_)
                | Self::Unmigrated
                | Self::Refused { .. }
                | Self::HiddenRowId(_)
                | Self::Global { .. }
                | Self::Served(_)
                | Self::Used { .. }
                | Self::Otherwise { .. }
                | Self::Exists { .. }
                | Self::Placement { .. }
                | Self::OwnDatabase { .. }
        )
    }

    /// An error of a statement that defines something.
    pub(super) fn of_definition(object: String, error: sqlx::Error) -> Self {
        match ScopeError::of(&error) {
            Some(ScopeError::Refused(refused)) => Self::Refused { object, refused: refused.clone() },
            _ => Self::Database(error),
        }
    }
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.object.as_str()).collect::<Vec<_>>().join(", ")
}
