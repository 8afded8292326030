//! The schema on a real server.

mod catalogs;
mod doctor;
mod follow;
mod installing;
mod map;
mod migrating;
mod numbering;
mod provisioning;
mod refused;
mod rows;

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use tenantry_sql::{Code, Limits};
use tenantry_test::server::{TestDatabase, TestRole};

use super::{
    super::Ids,
    install::{Setup, install},
    migrate::{enter, migrate},
    provision::provision,
};
use crate::scoped::ScopeError;

/// A database that is installed, with its owner's connection.
struct Home {
    owner: PgConnection,
    application: TestRole,
    migrations: Vec<Migration>,
    // Dropped last.
    database: TestDatabase,
}

impl Home {
    async fn new() -> Self {
        let mut home = Self::bare().await;
        home.install(&[]).await;
        home
    }

    /// Installs, or has the configuration changed.
    async fn install(&mut self, numbering: &[(&str, Ids)]) {
        let numbering = numbering.iter().map(|(table, ids)| ((*table).to_owned(), *ids)).collect();
        let globals = ["countries".to_owned()];
        let setup = Setup { application: &self.application.name, globals: &globals, numbering: &numbering };
        install(&mut self.owner, setup).await.unwrap();
    }

    /// Nothing is installed yet.
    async fn bare() -> Self {
        let mut database = TestDatabase::new().await.unwrap();
        let application = database.role("app").await.unwrap();
        let owner = PgConnection::connect(database.url()).await.unwrap();
        Self { owner, application, migrations: Vec::new(), database }
    }

    /// With tables from the beginning.
    async fn with(script: &str) -> Self {
        let mut home = Self::new().await;
        home.migrate(script).await.unwrap();
        home
    }

    /// Runs one more migration.
    async fn migrate(&mut self, script: &str) -> Result<(), MigrateError> {
        let version = i64::try_from(self.migrations.len()).unwrap() + 1;
        self.migrations.push(migration(version, script, false));
        let outcome = migrate(&mut self.owner, &migrator(&self.migrations), Limits::default()).await;
        let outcome = outcome.map(drop).map_err(MigrateError::from);
        if outcome.is_err() {
            self.migrations.pop();
        }
        outcome
    }

    /// The code by which a migration is refused.
    #[track_caller]
    fn code(outcome: Result<(), MigrateError>) -> Option<Code> {
        match outcome {
            Err(MigrateError::ExecuteMigration(error, _)) => ScopeError::of(&error).and_then(ScopeError::code),
            other => panic!("{other:?}"),
        }
    }

    /// What a migration says that fails.
    async fn failure(&mut self, script: &str) -> String {
        match self.migrate(script).await {
            Err(MigrateError::ExecuteMigration(error, _)) => error.to_string(),
            other => panic!("{script}: {other:?}"),
        }
    }

    /// A connection of the application's role, set as those that serve.
    async fn connect(&self) -> PgConnection {
        let mut connection = PgConnection::connect(&self.application.url).await.unwrap();
        sqlx::raw_sql("SET search_path = public").execute(&mut connection).await.unwrap();
        connection
    }

    async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.database.admin_url()).await.unwrap()
    }

    /// Makes tenants, and runs a statement as each; `$T` in it is the tenant.
    async fn tenants(&mut self, tenants: &[i64], statement: &str) {
        let mut application = self.connect().await;
        for tenant in tenants {
            provision(&mut self.owner, *tenant).await.unwrap();
            as_tenant(&mut application, *tenant, &statement.replace("$T", &tenant.to_string())).await.unwrap();
        }
    }

    /// One column of a tenant's rows.
    async fn column(&self, tenant: i64, query: &str) -> Vec<String> {
        let mut connection = self.connect().await;
        let mut transaction = connection.begin().await.unwrap();
        enter(&mut transaction, Some(tenant)).await.unwrap();
        let rows = sqlx::query_scalar::<_, Option<String>>(AssertSqlSafe(query)).fetch_all(&mut *transaction).await;
        rows.unwrap().into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect()
    }

    /// One column that the owner asks the catalogs for.
    async fn ask(&mut self, query: &str) -> Vec<String> {
        let mut transaction = self.owner.begin().await.unwrap();
        super::model::print_qualified(&mut transaction).await.unwrap();
        let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(query)).persistent(false).fetch_all(&mut *transaction);
        rows.await.unwrap()
    }

    /// A shared table: its columns, constraints and indexes, a line each.
    async fn shared(&mut self, table: &str) -> Vec<String> {
        let query = format!(
            "SELECT concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END, \
                    nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''), pg_get_expr(d.adbin, d.adrelid)) AS line \
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             WHERE a.attrelid = 'tenantry_shared.{table}'::regclass AND a.attnum > 1 AND NOT a.attisdropped \
             UNION ALL SELECT conname || ': ' || pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE conrelid = 'tenantry_shared.{table}'::regclass AND contype <> 'n' \
             UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index i WHERE indrelid = 'tenantry_shared.{table}'::regclass \
                 AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f') ORDER BY 1"
        );
        self.ask(&query).await
    }
}

fn migration(version: i64, script: &str, no_tx: bool) -> Migration {
    let script = AssertSqlSafe(script.to_owned()).into_sql_str();
    Migration::new(version, "test".into(), MigrationType::Simple, script, no_tx)
}

fn migrator(migrations: &[Migration]) -> Migrator {
    Migrator { migrations: migrations.to_vec().into(), ..Migrator::DEFAULT }
}

/// Runs a statement on the shared tables as row-level security lets a tenant.
async fn as_tenant(connection: &mut PgConnection, tenant: i64, statement: &str) -> Result<u64, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    enter(&mut transaction, Some(tenant)).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(done.rows_affected())
}
