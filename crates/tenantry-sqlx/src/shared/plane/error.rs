//! Why the rows of a tenant cannot be worked on.

use std::{io, path::PathBuf};

use tenantry_core::Slug;
use thiserror::Error;

use crate::shared::adopt::Difference;

/// Why the rows of a tenant cannot be worked on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RowsError {
    /// No database is known for such tenants.
    #[error("tenants with the placement {0} have no rows here")]
    Placement(&'static str),
    /// The tenant is being adopted, and not all of its rows are there.
    #[error("the rows of tenant {0} are incomplete: its adoption has not ended; `tenantry adopt` goes on with it")]
    Incomplete(Slug),
    /// The rows of one schema are not those of another.
    #[error(
        "the database of the tenant's own has another schema than the shared one ({}); it is migrated when the tenant \
         is next used, or by `tenantry migrate`",
        described(.0)
    )]
    Schema(Vec<Difference>),
    /// Rows may refer to rows that the other side does not have.
    #[error(
        "table {0}, which all tenants read, has other rows in the database of the tenant's own; make them the same"
    )]
    Global(String),
    /// A virtual table, or one that is declared in a way that is not understood.
    #[error("table {0} is of a kind that is not copied")]
    Kind(String),
    /// A file cannot be worked on.
    #[error("{path} cannot be worked on: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What the database says.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
}

fn described(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.object.as_str()).collect::<Vec<_>>().join(", ")
}
