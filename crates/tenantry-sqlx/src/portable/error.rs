//! Why rows cannot be given out or taken in.

use tenantry_core::{PlaneError, Tenant};
use thiserror::Error;

use super::ROWS;

/// Why rows cannot be given out or taken in. Of what was to be taken in, nothing is seen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PortableError {
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// A file cannot be made.
    #[error("the database's file: {0}")]
    File(#[from] std::io::Error),
    /// Ids are so large that a sequence which all tenants share would be used up.
    #[error(
        "its ids reach {last}, after which {sequence}, which gives ids to all tenants, would have less than half of its \
         numbers left; let the table count for each tenant (database.numbering)"
    )]
    Ids {
        /// The sequence.
        sequence: String,
        /// The highest id.
        last: i64,
    },
    /// Rows of it are being brought in.
    #[error("its rows are incomplete; bring them in to the end, or erase them")]
    Incomplete,
    /// Another call works on the same tenant, or the schema has changed.
    #[error("another import of the tenant or a migration has begun meanwhile; try again")]
    Interrupted,
    /// A line is none.
    #[error("line {line} of {table} is no row: {why}")]
    Line {
        /// The table.
        table: String,
        /// Which line of it, counted from 1.
        line: u64,
        /// Why.
        why: String,
    },
    /// The tables do not fit.
    #[error("the tables do not fit those that are here: {}", listed(.0))]
    Misfit(Vec<String>),
    /// Columns have taken all names of the hidden row id.
    #[error("table {0} has columns called rowid, _rowid_ and oid, which hide its row ids; rename one of them")]
    HiddenRowId(String),
    /// A row refers to one that is not there.
    #[error("rows of {table} refer to rows of {parent} that are not there")]
    Reference {
        /// The table.
        table: String,
        /// What it refers to.
        parent: String,
    },
    /// A row cannot be one of the table.
    #[error("line {line} of {table} cannot be a row here: {message}")]
    Row {
        /// The table.
        table: String,
        /// Which line of it, counted from 1.
        line: u64,
        /// What is in the way.
        message: String,
    },
    /// A row cannot be one of a table, which the database says of all at once.
    #[error("the rows cannot be those of a tenant: {0}")]
    Rows(String),
    /// Whoever wanted the rows has gone.
    #[error("nobody wants the rows any more")]
    Stopped,
    /// There are no tables.
    #[error("the shared database has no tables yet; start the application once, so that it migrates")]
    Unmigrated,
    /// A database of a tenant's own cannot be made without them.
    #[error(
        "a database of the tenant's own needs the application's migrations, which are not known here; import it as shared"
    )]
    MigrationsUnknown,
    /// There are rows already.
    #[error("it has rows of its own already; erase them, or take a new tenant")]
    Used,
}

impl PortableError {
    /// This is what happened to the tenant.
    pub(crate) fn of(self, tenant: &Tenant) -> PlaneError {
        PlaneError::new(ROWS, tenant, self)
    }
}

/// The first of them.
fn listed(misfits: &[String]) -> String {
    let mut text = misfits.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if misfits.len() > SHOWN {
        text.push_str(&format!("; and {} more", misfits.len() - SHOWN));
    }
    text
}

const SHOWN: usize = 20;
