//! The file that a tenant has of its own: opened, migrated, leased.

use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, ready};
use sqlx::{
    SqlStr, Sqlite, SqliteConnection, SqlitePool,
    migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator},
    pool::PoolConnection,
    sqlite::SqlitePoolOptions,
};
use tenantry_core::Scope;
use tenantry_sql::{Plan, Plans};

use super::{
    clock::Clock,
    migrator::{is_applied, record},
    source::SqliteOptions,
};
use crate::{
    migrations::{self, Halted},
    native,
    scoped::{Leased, ScopeError, beginning},
};

/// Opens it: makes it if there is none, and brings its schema up to date.
pub(super) async fn open(
    options: &SqliteOptions,
    scope: &Scope,
    migrator: Option<&Migrator>,
) -> Result<SqlitePool, sqlx::Error> {
    std::fs::create_dir_all(&options.dedicated)?;
    let file = options.dedicated_file(scope.id());
    let connect = options.make(&file)?;
    // A file does not go away.
    let pool =
        SqlitePoolOptions::new().max_connections(4).test_before_acquire(false).acquire_timeout(options.acquire_timeout);
    let pool = pool.connect_with(connect).await?;
    if let Some(migrator) = migrator {
        let migrated = migrate(&mut *pool.acquire().await?, migrator).await;
        migrated.map_err(|halted| sqlx::Error::Migrate(Box::new(halted.error)))?;
    }
    Ok(pool)
}

/// Brings its schema up to date, and says how many migrations that took. Several may do that at once.
pub(super) async fn migrate(connection: &mut SqliteConnection, migrator: &Migrator) -> Result<u64, Halted> {
    migrations::run(migrator, &mut Migrating { own: connection }).await
}

/// A connection while migrations run.
struct Migrating<'a> {
    own: &'a mut SqliteConnection,
}

impl Migrating<'_> {
    /// Runs a migration, whole or not at all. Only who has the lock knows whether somebody else has run it.
    async fn run(&mut self, table: &str, migration: &Migration) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *self.own).await?;
        let migrated = self.run_once(table, migration).await;
        let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = sqlx::raw_sql(end).execute(&mut *self.own).await;
        if migrated.is_ok() && ended.is_err() {
            // Else the lock would stay.
            sqlx::raw_sql("ROLLBACK").execute(&mut *self.own).await.ok();
        }
        migrated.and(ended.map(drop))
    }

    async fn run_once(&mut self, table: &str, migration: &Migration) -> Result<(), sqlx::Error> {
        if is_applied(table, migration, self.own).await? {
            return Ok(());
        }
        sqlx::raw_sql(migration.sql.clone()).execute(&mut *self.own).await?;
        record(table, migration, self.own).await
    }
}

impl Migrate for Migrating<'_> {
    fn create_schema_if_not_exists<'e>(&'e mut self, name: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.own.create_schema_if_not_exists(name)
    }

    fn ensure_migrations_table<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.own.ensure_migrations_table(table)
    }

    fn dirty_version<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<Option<i64>, MigrateError>> {
        self.own.dirty_version(table)
    }

    fn list_applied_migrations<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<Vec<AppliedMigration>, MigrateError>> {
        self.own.list_applied_migrations(table)
    }

    fn lock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.own.lock()
    }

    fn unlock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.own.unlock()
    }

    fn apply<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        if migration.no_tx {
            return self.own.apply(table, migration);
        }
        Box::pin(async move {
            let begun = Instant::now();
            let run = self.run(table, migration).await;
            run.map_err(|error| MigrateError::ExecuteMigration(error, migration.version))?;
            Ok(begun.elapsed())
        })
    }

    fn revert<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        self.own.revert(table, migration)
    }

    fn skip<'e>(&'e mut self, table: &'e str, migration: &'e Migration) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.own.skip(table, migration)
    }
}

/// A connection to a database of the tenant's own.
pub(super) struct Dedicated {
    connection: PoolConnection<Sqlite>,
    /// By which statements are stopped, if the tenant's plan limits their time.
    clock: Option<Clock>,
}

impl Dedicated {
    pub(super) const fn new(connection: PoolConnection<Sqlite>, clock: Option<Clock>) -> Self {
        Self { connection, clock }
    }
}

impl Leased<Sqlite> for Dedicated {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    fn beginning(&self, statement: Option<SqlStr>) -> Option<SqlStr> {
        Some(beginning(statement.as_ref()))
    }

    fn begin(&mut self, _: &Plan) {}

    fn end(&mut self) {}

    fn stop_at(&mut self, at: Option<Instant>) {
        if let Some(clock) = &self.clock {
            clock.set(at);
        }
    }

    fn count_rows<'a>(&'a mut self, _: &'a Plans) -> BoxFuture<'a, Result<u64, sqlx::Error>> {
        // Here no plan limits them.
        Box::pin(ready(Ok(0)))
    }

    fn spoil(&mut self) {
        self.connection.close_on_drop();
    }

    fn translate(&self, error: sqlx::Error) -> sqlx::Error {
        if native::is_moved(&error) { ScopeError::Moved.into() } else { error }
    }
}
