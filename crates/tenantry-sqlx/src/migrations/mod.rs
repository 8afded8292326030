//! What is the same for migrations on all databases.

mod error;
mod pending;
mod run;

use sqlx::migrate::{MigrateError, Migration, Migrator};
use tenantry_core::MigrationName;
use tenantry_sql::{Code, Plan, Refused};

pub use self::error::MigrationError;
pub(crate) use self::{
    error::RowsMoving,
    pending::{all, pending},
    run::{Halted, run},
};

/// The same migrations. `Migrator` cannot be cloned.
pub(crate) fn copy(migrator: &Migrator) -> Migrator {
    Migrator {
        migrations: migrator.migrations.clone(),
        ignore_missing: migrator.ignore_missing,
        locking: migrator.locking,
        no_tx: migrator.no_tx,
        table_name: migrator.table_name.clone(),
        create_schemas: migrator.create_schemas.clone(),
    }
}

/// The same, for a process that opens databases while it runs: one that a later version of the application has migrated
/// meanwhile is opened as it is.
pub(crate) fn copy_for_opening(migrator: &Migrator) -> Migrator {
    Migrator { ignore_missing: true, ..copy(migrator) }
}

/// What a migration is called.
pub(crate) fn name(migration: &Migration) -> MigrationName {
    MigrationName { version: migration.version, description: migration.description.clone().into_owned() }
}

/// Refuses a statement that would not change the rows of all tenants, and of those to come, in the same way.
pub(crate) fn check_repeatable(plan: &Plan) -> Result<(), Refused> {
    if let Some(function) = &plan.chance {
        let refused = Refused::new(Code::Function, format!("function {function}() in a migration"));
        return Err(refused.hint("new tenants would all get the same value; insert it with on_first_use"));
    }
    if !plan.parameters.is_empty() {
        return Err(Refused::new(Code::Unknown, "a parameter in a migration").hint("write the value"));
    }
    Ok(())
}

/// Migrations have no way back.
pub(crate) fn not_undone(migration: &Migration) -> MigrateError {
    let text = "migrations of shared tables are not undone; write one that goes forward".to_owned();
    MigrateError::ExecuteMigration(sqlx::Error::Protocol(text), migration.version)
}
