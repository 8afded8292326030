//! Migrations as sqlx runs them: each in a transaction, once, for all tenants.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection,
    migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator},
};
use tenantry_sql::{Code, Definition, Dialect, Limits, Refused, Rewriter, SchemaMap, definition};

use super::{follow, gone, lock, map, provision};
use crate::{
    migrations::{self, Halted, RowsMoving},
    scoped::ScopeError,
};

/// Runs the migrations that were not run yet, and says how many these were. Nobody else migrates or makes tenants meanwhile. Where it is dropped
/// half-way, the connection must be closed, which undoes what was begun and lets others in.
///
/// # Errors
///
/// What sqlx says of migrations; a refusal within [`MigrateError::ExecuteMigration`], if the shared tables could not
/// follow. Nothing of a migration that fails is left.
pub(crate) async fn migrate(owner: &mut PgConnection, migrator: &Migrator, limits: Limits) -> Result<u64, Halted> {
    lock::take(owner).await?;
    let run = migrations::run(migrator, &mut Migrating { owner, limits }).await;
    let released = lock::release(owner).await;
    let applied = run?;
    released?;
    Ok(applied)
}

/// The owner's connection while migrations run.
struct Migrating<'a> {
    owner: &'a mut PgConnection,
    limits: Limits,
}

impl Migrating<'_> {
    /// Runs a migration, whole or not at all.
    async fn run(&mut self, table: &str, migration: &Migration) -> Result<(), sqlx::Error> {
        if migration.no_tx {
            let refused = Refused::new(Code::Ddl, "a migration without a transaction");
            let hint = "remove `-- no-transaction`; what cannot run in a transaction is for an operator";
            return Err(ScopeError::from(refused.hint(hint)).into());
        }
        let script = Dialect::Postgres.statements(migration.sql.as_str()).map_err(ScopeError::from)?;
        let mut transaction = self.owner.begin().await?;
        if gone::is_any_marked(&mut transaction).await? {
            return Err(RowsMoving.into());
        }
        let mut work = Work::begin(&mut transaction, self.limits).await?;
        for statement in script {
            work.statement(statement).await?;
        }
        work.end().await?;
        record(&mut transaction, table, migration).await?;
        transaction.commit().await
    }
}

/// A migration under way.
struct Work<'a> {
    owner: &'a mut PgConnection,
    limits: Limits,
    tenants: Vec<i64>,
    /// The schema as it is now, if somebody has asked.
    schema: Option<Arc<SchemaMap>>,
}

impl<'a> Work<'a> {
    async fn begin(owner: &'a mut PgConnection, limits: Limits) -> Result<Self, sqlx::Error> {
        let tenants = provision::all(owner).await?;
        Ok(Self { owner, limits, tenants, schema: None })
    }

    async fn statement(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        match definition(statement).map_err(ScopeError::from)? {
            Definition::Nothing => Ok(()),
            Definition::Rows => self.rows(statement).await,
            Definition::Structure(using) => {
                self.schema = None;
                // The server judges the definition as it was written.
                sqlx::raw_sql("SET LOCAL search_path = public").execute(&mut *self.owner).await?;
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *self.owner).await?;
                follow::follow(self.owner, &using).await
            }
        }
    }

    /// A statement that changes rows, for every tenant and the pristine one.
    async fn rows(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        let schema = match &self.schema {
            Some(schema) => Arc::clone(schema),
            None => Arc::new(map::within(self.owner).await?),
        };
        self.schema = Some(Arc::clone(&schema));
        let rewriter = Rewriter::new(schema, self.limits).dialect(Dialect::Postgres);
        let plan = rewriter.scope(statement).map_err(ScopeError::from)?;
        migrations::check_repeatable(&plan).map_err(ScopeError::from)?;
        if !plan.effect.writes() {
            return Ok(());
        }
        sqlx::raw_sql("SET LOCAL search_path = pg_catalog, public").execute(&mut *self.owner).await?;
        for tenant in &self.tenants {
            enter(self.owner, Some(*tenant)).await?;
            let query = sqlx::query(AssertSqlSafe(&*plan.text)).persistent(false);
            let query = if plan.tenant.is_some() { query.bind(tenant) } else { query };
            query.execute(&mut *self.owner).await?;
        }
        enter(self.owner, None).await
    }

    /// Checks that everything has followed, and tells others that there is another schema.
    async fn end(self) -> Result<(), sqlx::Error> {
        follow::check(self.owner).await?;
        let text = "UPDATE tenantry.meta SET version = version + 1 RETURNING version";
        let version: i64 = sqlx::query_scalar(text).fetch_one(&mut *self.owner).await?;
        let notify = sqlx::query("SELECT pg_notify('tenantry_schema', $1)").bind(version.to_string());
        notify.execute(self.owner).await.map(drop)
    }
}

/// Says whose rows row-level security lets pass until the transaction ends.
pub(in crate::postgres) async fn enter(connection: &mut PgConnection, tenant: Option<i64>) -> Result<(), sqlx::Error> {
    let value = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    let text = "SELECT pg_catalog.set_config('tenantry.tenant', $1, true)";
    sqlx::query(text).bind(value).execute(connection).await.map(drop)
}

async fn record(owner: &mut PgConnection, table: &str, migration: &Migration) -> Result<(), sqlx::Error> {
    let text = AssertSqlSafe(format!(
        "INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES ($1, $2, TRUE, $3, -1)"
    ));
    let record = sqlx::query(text).bind(migration.version).bind(&*migration.description);
    record.bind(&*migration.checksum).execute(owner).await.map(drop)
}

/// Where sqlx keeps its record: beside what is Tenantry's own, since it belongs to no tenant.
pub(in crate::postgres) fn recorded(table: &str) -> String {
    format!("tenantry.{}", table.rsplit('.').next().unwrap_or(table))
}

impl Migrate for Migrating<'_> {
    fn create_schema_if_not_exists<'e>(&'e mut self, name: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        Box::pin(async move {
            if name == "public" {
                return Ok(());
            }
            let refused = Refused::new(Code::Ddl, "another schema");
            let hint = "the application's schema is public; leave create_schemas empty";
            Err(MigrateError::Execute(ScopeError::from(refused.hint(hint)).into()))
        })
    }

    fn ensure_migrations_table<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<(), MigrateError>> {
        Box::pin(async move { self.owner.ensure_migrations_table(&recorded(table)).await })
    }

    fn dirty_version<'e>(&'e mut self, table: &'e str) -> BoxFuture<'e, Result<Option<i64>, MigrateError>> {
        Box::pin(async move { self.owner.dirty_version(&recorded(table)).await })
    }

    fn list_applied_migrations<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<Vec<AppliedMigration>, MigrateError>> {
        Box::pin(async move { self.owner.list_applied_migrations(&recorded(table)).await })
    }

    /// It is taken already, also where the migrator was told not to.
    fn lock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn unlock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn apply<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        Box::pin(async move {
            let begun = Instant::now();
            let run = self.run(&recorded(table), migration).await;
            run.map_err(|error| MigrateError::ExecuteMigration(error, migration.version))?;
            Ok(begun.elapsed())
        })
    }

    fn revert<'e>(&'e mut self, _: &'e str, migration: &'e Migration) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        Box::pin(std::future::ready(Err(migrations::not_undone(migration))))
    }

    fn skip<'e>(&'e mut self, table: &'e str, migration: &'e Migration) -> BoxFuture<'e, Result<(), MigrateError>> {
        Box::pin(async move { self.owner.skip(&recorded(table), migration).await })
    }
}
