//! Which migrations a database still needs, without changing it.

use std::collections::HashMap;

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};
use tenantry_core::MigrationName;

use super::{Halted, MigrationError, name};

/// All migrations that there are.
pub(crate) fn all(migrator: &Migrator) -> Vec<MigrationName> {
    forward(migrator).map(name).collect()
}

/// The migrations that were not run yet on a database, which keeps in `table` which were. There may be none of that name.
pub(crate) async fn pending<C: Migrate + Send>(
    migrator: &Migrator,
    table: &str,
    connection: &mut C,
) -> Result<Vec<MigrationName>, MigrationError> {
    let failed = |error| MigrationError::new(Halted { error, applied: 0 }, migrator);
    let applied = match connection.list_applied_migrations(table).await {
        Err(error) if has_no_table(&error) => Vec::new(),
        Err(error) => return Err(failed(error)),
        Ok(applied) => {
            if let Some(version) = connection.dirty_version(table).await.map_err(failed)? {
                return Err(failed(MigrateError::Dirty(version)));
            }
            applied
        }
    };
    let mut applied: HashMap<_, _> = applied.into_iter().map(|applied| (applied.version, applied.checksum)).collect();
    let mut pending = Vec::new();
    for migration in forward(migrator) {
        match applied.remove(&migration.version) {
            None => pending.push(name(migration)),
            Some(checksum) if checksum == migration.checksum => {}
            Some(_) => return Err(failed(MigrateError::VersionMismatch(migration.version))),
        }
    }
    match applied.into_keys().min() {
        Some(version) if !migrator.ignore_missing => Err(failed(MigrateError::VersionMissing(version))),
        _ => Ok(pending),
    }
}

fn forward(migrator: &Migrator) -> impl Iterator<Item = &Migration> {
    migrator.iter().filter(|migration| !migration.migration_type.is_down_migration())
}

/// Whether nothing was ever migrated there: SQLite has no code for that; PostgreSQL has one for the table, and one for the
/// schema that it would be in (undefined_table, invalid_schema_name).
fn has_no_table(error: &MigrateError) -> bool {
    let MigrateError::Execute(sqlx::Error::Database(error)) = error else { return false };
    error.message().starts_with("no such table") || matches!(error.code().as_deref(), Some("42P01" | "3F000"))
}
