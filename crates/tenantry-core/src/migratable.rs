//! Rows whose tables follow the application's migrations.

use std::fmt;

use crate::{BoxError, BoxFuture, PlaneError, Tenant};

/// What the application's migrations are run on: once on the tables that tenants share, and on each database that a tenant
/// has of its own.
///
/// Each migration takes effect whole or not at all, and is noted down with what it did. So all of these may be killed at any
/// point and begun again, also while others do the same, and do not run a migration twice.
///
/// Errors name the migration and say what the database said of it; they name no tenant but the one that is meant.
pub trait MigratableRows: Send + Sync + 'static {
    /// The migrations that the shared tables still need. Nothing changes, and no database is made.
    fn pending_shared(&self) -> BoxFuture<'_, Result<Vec<MigrationName>, BoxError>>;

    /// Runs them, for all tenants at once, and says how many these were.
    fn migrate_shared(&self) -> BoxFuture<'_, Result<u64, BoxError>>;

    /// The migrations that a tenant's own database still needs. Nothing changes, and no database is made.
    ///
    /// There may be none yet, and then there is nothing to migrate: whoever opens it first makes it with all migrations that
    /// there are by then.
    fn pending<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Option<Vec<MigrationName>>, PlaneError>>;

    /// Runs them, and says how many these were. No database is made.
    fn migrate<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<u64, PlaneError>>;
}

/// What a migration is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationName {
    /// Its number, by which migrations are ordered.
    pub version: i64,
    /// What it is for, in the application's words.
    pub description: String,
}

impl fmt::Display for MigrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.description)
    }
}
