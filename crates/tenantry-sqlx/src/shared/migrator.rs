//! Migrations as sqlx runs them, on the connection that owns the schema: each in a transaction, once.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::{
    AssertSqlSafe, SqliteConnection,
    migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator},
};
use tenantry_sql::statements;

use super::{
    adopt,
    keeper::Keeper,
    migrate::{Schema, Work},
    owner::Taken,
    plane::moving::is_any_moved,
    source::Sqlites,
};
use crate::{
    migrations::{self, Halted, RowsMoving},
    scoped::ScopeError,
};

impl Sqlites {
    pub(super) async fn migrate_all(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        // Databases that tenants have of their own are migrated when they are opened.
        // Whoever migrates twice means the same migrations.
        drop(self.migrator().set(migrations::copy_for_opening(migrator)));
        migrate(&self.shared().await?.keeper, migrator).await?;
        Ok(())
    }
}

/// Brings the shared schema up to date, and says how many migrations that took.
pub(super) async fn migrate(keeper: &Keeper, migrator: &Migrator) -> Result<u64, Halted> {
    let mut migrating = Migrating { keeper, owner: keeper.owner().await? };
    let applied = migrations::run(migrator, &mut migrating).await?;
    // What another process was faster with.
    keeper.reload_with(&mut migrating.owner).await?;
    migrating.owner.put_back();
    Ok(applied)
}

/// The owner's connection while migrations run.
struct Migrating<'a> {
    keeper: &'a Keeper,
    owner: Taken<'a>,
}

impl Migrating<'_> {
    /// Runs a migration, whole or not at all.
    async fn run(&mut self, table: &str, migration: &Migration) -> Result<(), sqlx::Error> {
        let script = statements(migration.sql.as_str()).map_err(ScopeError::from)?;
        // Without a transaction around it, a migration may switch the checks off. It gets a transaction nevertheless.
        adopt::discard_unfinished(self.keeper, &mut self.owner).await?;
        let unchecked = migration.no_tx && script.iter().any(|statement| switches_checks_off(statement));
        if unchecked {
            sqlx::raw_sql("PRAGMA foreign_keys = OFF").execute(&mut *self.owner).await?;
        }
        let migrated = self.run_in_transaction(&script, table, migration, unchecked).await;
        if unchecked {
            sqlx::raw_sql("PRAGMA foreign_keys = ON").execute(&mut *self.owner).await?;
        }
        if let Some((schema, objects)) = migrated? {
            self.keeper.put(schema, &objects);
        }
        Ok(())
    }

    async fn run_in_transaction(
        &mut self,
        script: &[&str],
        table: &str,
        migration: &Migration,
        unchecked: bool,
    ) -> Result<Option<Schema>, sqlx::Error> {
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *self.owner).await?;
        let migrated = match is_applied(table, migration, &mut self.owner).await {
            Ok(true) => Ok(None),
            Ok(false) => self.apply_script(script, table, migration, unchecked).await.map(Some),
            Err(error) => Err(error),
        };
        self.owner.session().own();
        match migrated {
            Ok(migrated) => sqlx::raw_sql("COMMIT").execute(&mut *self.owner).await.map(|_| migrated),
            Err(error) => {
                // SQLite may have undone it by itself; and it does when the connection is closed, which is now.
                sqlx::raw_sql("ROLLBACK").execute(&mut *self.owner).await.ok();
                Err(error)
            }
        }
    }

    async fn apply_script(
        &mut self,
        script: &[&str],
        table: &str,
        migration: &Migration,
        unchecked: bool,
    ) -> Result<Schema, sqlx::Error> {
        if is_any_moved(&mut self.owner).await? {
            return Err(RowsMoving.into());
        }
        let mut work = Work::begin(self.keeper, self.owner.session(), &mut self.owner).await?;
        for statement in script {
            work.statement(statement).await?;
        }
        let schema = work.end().await?;
        if unchecked {
            check_foreign_keys(&mut self.owner).await?;
        }
        record(table, migration, &mut self.owner).await?;
        Ok(schema)
    }
}

/// Whether another process was faster.
pub(super) async fn is_applied(
    table: &str,
    migration: &Migration,
    connection: &mut SqliteConnection,
) -> Result<bool, sqlx::Error> {
    let text = AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE version = ?)"));
    sqlx::query_scalar(text).bind(migration.version).fetch_one(connection).await
}

/// Notes down that a migration was applied, in the transaction that does it.
pub(super) async fn record(
    table: &str,
    migration: &Migration,
    connection: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let text = AssertSqlSafe(format!(
        "INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES (?, ?, TRUE, ?, -1)"
    ));
    let record = sqlx::query(text).bind(migration.version).bind(&*migration.description);
    record.bind(&*migration.checksum).execute(connection).await.map(drop)
}

impl Migrate for Migrating<'_> {
    fn create_schema_if_not_exists<'e>(&'e mut self, name: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.owner.create_schema_if_not_exists(name)
    }

    fn ensure_migrations_table<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.owner.ensure_migrations_table(table)
    }

    fn dirty_version<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<Option<i64>, MigrateError>> {
        self.owner.dirty_version(table)
    }

    fn list_applied_migrations<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<Vec<AppliedMigration>, MigrateError>> {
        self.owner.list_applied_migrations(table)
    }

    fn lock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.owner.lock()
    }

    fn unlock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.owner.unlock()
    }

    fn apply<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        Box::pin(async move {
            let begun = Instant::now();
            let run = self.run(table, migration).await;
            run.map_err(|error| MigrateError::ExecuteMigration(error, migration.version))?;
            Ok(begun.elapsed())
        })
    }

    fn revert<'e>(&'e mut self, _: &'e str, migration: &'e Migration) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        Box::pin(std::future::ready(Err(migrations::not_undone(migration))))
    }

    fn skip<'e>(&'e mut self, table: &'e str, migration: &'e Migration) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.owner.skip(table, migration)
    }
}

fn switches_checks_off(statement: &str) -> bool {
    let words: String = statement.chars().filter(|char| !char.is_whitespace()).collect();
    words.to_ascii_lowercase().starts_with("pragmaforeign_keys")
}

async fn check_foreign_keys(owner: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let broken: Vec<(String,)> =
        sqlx::query_as("SELECT DISTINCT \"table\" FROM pragma_foreign_key_check").fetch_all(owner).await?;
    match broken.first() {
        None => Ok(()),
        Some((table,)) => Err(sqlx::Error::Protocol(format!("foreign keys of {table} are broken after the migration"))),
    }
}
