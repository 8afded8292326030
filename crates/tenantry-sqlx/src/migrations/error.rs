//! Why migrations do not run.

use sqlx::migrate::{MigrateError, Migration, Migrator};
use tenantry_core::MigrationName;
use thiserror::Error;

use super::{Halted, name};

/// Why migrations do not run. What a migration that failed had done is undone, unless it runs without a transaction.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// It was applied, and is another one now.
    #[error(
        "migration {0} was applied with another text than it has now; give it its former text, and write a new one for what is \
         to change"
    )]
    Changed(MigrationName),
    /// A migration has failed.
    #[error("migration {migration} has failed{}: {source}", circumstances(*.before, *.is_alone, .source))]
    Failed {
        /// The migration.
        migration: MigrationName,
        /// How many were applied before it by the same call, and stay.
        before: u64,
        /// Whether it runs without a transaction.
        is_alone: bool,
        /// What the database says.
        source: sqlx::Error,
    },
    /// Nobody has said which migrations there are.
    #[error("the application's migrations are not known; database.migrations names the folder with them")]
    NotGiven,
    /// The database was migrated by another version of the application.
    #[error(
        "migration {0} was applied, and is not among the application's; take the migrations of the version that has it"
    )]
    Unknown(i64),
    /// It cannot even be begun.
    #[error("{0}{locked}", locked = if waited(.0) { LOCKED } else { "" })]
    Other(MigrateError),
}

/// Rows in the shared tables are marked as moved: a migration could not change them, or would take the marks away.
#[derive(Debug, Error)]
#[error(
    "rows of a tenant have been moved and are not removed yet, so that no migration runs; wait until the move has ended, or let \
     it go on: `tenantry operation` knows it"
)]
pub(crate) struct RowsMoving;

impl From<RowsMoving> for sqlx::Error {
    fn from(error: RowsMoving) -> Self {
        Self::Configuration(error.into())
    }
}

impl MigrationError {
    pub(crate) fn new(halted: Halted, migrator: &Migrator) -> Self {
        let find = |version: i64| migrator.iter().find(|migration| migration.version == version);
        let named = |version| find(version).map_or_else(|| unnamed(version), name);
        match halted.error {
            MigrateError::ExecuteMigration(source, version) => Self::Failed {
                migration: named(version),
                before: halted.applied,
                is_alone: find(version).is_some_and(|migration: &Migration| migration.no_tx),
                source,
            },
            MigrateError::VersionMismatch(version) => Self::Changed(named(version)),
            MigrateError::VersionMissing(version) => Self::Unknown(version),
            other => Self::Other(other),
        }
    }
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

fn unnamed(version: i64) -> MigrationName {
    MigrationName { version, description: String::new() }
}

/// What else is to be known.
fn circumstances(before: u64, is_alone: bool, error: &sqlx::Error) -> String {
    let mut text = String::new();
    if before > 0 {
        text.push_str(&format!(", after {before} that stay"));
    }
    if is_alone {
        text.push_str(", without a transaction, so that what it did before may stay");
    }
    if is_locked(error) {
        text.push_str(LOCKED);
    }
    text
}

/// The same of what comes before the first migration: somebody else may be migrating.
fn waited(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Execute(error) if is_locked(error))
}

const LOCKED: &str = ", since it got no lock within migrate.lock_wait_max";

/// Whether somebody else has kept a lock for too long: `SQLITE_BUSY`, with whatever it adds, or lock_not_available.
fn is_locked(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(|error| error.code()) else { return false };
    // SQLite's are shorter than the five characters of PostgreSQL's.
    code == "55P03" || code.len() < 5 && code.parse::<i32>().is_ok_and(|code| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_named_and_what_stays_is_said() {
        let migration = MigrationName { version: 3, description: "colours".to_owned() };
        let source = || sqlx::Error::Protocol("no".to_owned());
        let failed = |before, is_alone| {
            MigrationError::Failed { migration: migration.clone(), before, is_alone, source: source() }.to_string()
        };
        assert_eq!(failed(0, false), format!("migration 3 (colours) has failed: {}", source()));
        assert_eq!(failed(2, false), format!("migration 3 (colours) has failed, after 2 that stay: {}", source()));
        assert!(failed(0, true).contains("without a transaction"));
    }
}
