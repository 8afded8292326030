//! Runs migrations, and counts them.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};

/// Runs the migrations that were not run yet, and says how many these were.
pub(crate) async fn run<C: Migrate + Send>(migrator: &Migrator, connection: &mut C) -> Result<u64, Halted> {
    let mut counted = Counted { connection, applied: 0 };
    let run = migrator.run_direct(None, &mut counted, false).await;
    match run {
        Ok(()) => Ok(counted.applied),
        Err(error) => Err(Halted { error, applied: counted.applied }),
    }
}

/// Why not all were run, and how many were.
#[derive(Debug)]
pub(crate) struct Halted {
    pub(crate) error: MigrateError,
    pub(crate) applied: u64,
}

impl From<Halted> for MigrateError {
    fn from(halted: Halted) -> Self {
        halted.error
    }
}

impl From<sqlx::Error> for Halted {
    fn from(error: sqlx::Error) -> Self {
        Self { error: error.into(), applied: 0 }
    }
}

/// A connection on which migrations are counted.
struct Counted<'a, C> {
    connection: &'a mut C,
    applied: u64,
}

impl<C: Migrate + Send> Migrate for Counted<'_, C> {
    fn create_schema_if_not_exists<'e>(&'e mut self, name: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.connection.create_schema_if_not_exists(name)
    }

    fn ensure_migrations_table<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.connection.ensure_migrations_table(table)
    }

    fn dirty_version<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<Option<i64>, MigrateError>> {
        self.connection.dirty_version(table)
    }

    fn list_applied_migrations<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<Vec<AppliedMigration>, MigrateError>> {
        self.connection.list_applied_migrations(table)
    }

    fn lock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.connection.lock()
    }

    fn unlock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.connection.unlock()
    }

    fn apply<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        Box::pin(async move {
            let applied = self.connection.apply(table, migration).await?;
            self.applied += 1;
            Ok(applied)
        })
    }

    fn revert<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        self.connection.revert(table, migration)
    }

    fn skip<'e>(&'e mut self, table: &'e str, migration: &'e Migration) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.connection.skip(table, migration)
    }
}
