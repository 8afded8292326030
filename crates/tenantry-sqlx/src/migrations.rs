//! Migrations, kept for databases that are migrated later.

use sqlx::migrate::Migrator;

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
