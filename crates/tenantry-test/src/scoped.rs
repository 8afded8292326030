//! The side under test as Tenantry has it: a scoped connection to tables that four tenants share.

use std::{fmt, path::Path, sync::Arc};

use sqlx::{
    AssertSqlSafe, ConnectOptions, SqlSafeStr, Sqlite, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;
use tenantry_core::{Admission, Mirror, Plans, Scope, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_sqlx::{ScopedConnection, ScopedPool, SqliteOptions};

use crate::{
    Digest, Lint, Outcome, Private, Schema, Shared, State, Value,
    noise::{Insert, World},
    physical, run,
};

/// The tenant under test. Others have lower and higher numbers.
const TENANT: i64 = 2;
/// The numbers of the others.
const OTHERS: [i64; 3] = [1, 3, 4];
/// The file of the shared tables.
const FILE: &str = "shared.db";

/// A shared database with the rows of all tenants, from which a fresh [`Scoped`] is made for each script.
pub struct Setting {
    among_others: TempDir,
    alone: TempDir,
    schema: Schema,
}

/// A tenant's share of a shared database.
pub struct Scoped {
    among_others: Side,
    /// The same tenant in a database that it shares with nobody.
    alone: Side,
    schema: Schema,
}

struct Side {
    connection: ScopedConnection<Sqlite>,
    /// Looks at the tables as they are.
    raw: SqliteConnection,
    // Last: the file is closed before it is deleted.
    _folder: TempDir,
}

impl Setting {
    /// Creates the tables by a migration, and inserts everybody's rows.
    ///
    /// # Errors
    ///
    /// Those of the database, and refusals of definitions.
    pub async fn new(ddl: &[impl AsRef<str>], world: &World) -> Result<Self, sqlx::Error> {
        let schema = Schema::read(Private::open(ddl, &[]).await?.connection()).await?;
        let own = (TENANT, &world.own);
        let others = OTHERS.into_iter().zip(world.others.iter().map(|(_, rows)| rows));
        let all: Vec<_> = others.chain([own]).collect();
        Ok(Self { among_others: fill(ddl, &all).await?, alone: fill(ddl, &[own]).await?, schema })
    }

    /// A copy of the database, with a connection for the tenant under test.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn scoped(&self) -> Result<Scoped, sqlx::Error> {
        let (among_others, alone) = (Side::copy(&self.among_others).await?, Side::copy(&self.alone).await?);
        Ok(Scoped { among_others, alone, schema: self.schema.clone() })
    }

    /// What looks at how statements would run here.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn lint(&self) -> Result<Lint, sqlx::Error> {
        let folder = copy(&self.among_others)?;
        let (pool, _) = open(folder.path());
        let mut raw = raw(folder.path()).await?;
        Lint::new(pool, &mut raw, folder).await
    }
}

impl Shared for Scoped {
    async fn run(&mut self, text: &str, arguments: &[Value]) -> Outcome {
        self.among_others.run(text, arguments).await
    }

    async fn run_alone(&mut self, text: &str, arguments: &[Value]) -> Option<Outcome> {
        Some(self.alone.run(text, arguments).await)
    }

    async fn others(&mut self) -> Result<Digest, sqlx::Error> {
        physical::others(&mut self.among_others.raw, TENANT).await
    }

    async fn state(&mut self) -> Result<State, sqlx::Error> {
        physical::state(&mut self.among_others.raw, &self.schema, TENANT).await
    }

    async fn state_alone(&mut self) -> Result<Option<State>, sqlx::Error> {
        physical::state(&mut self.alone.raw, &self.schema, TENANT).await.map(Some)
    }

    fn looks_into_transactions(&self) -> bool {
        false
    }
}

impl Side {
    async fn copy(of: &TempDir) -> Result<Self, sqlx::Error> {
        let folder = copy(of)?;
        let (pool, admission) = open(folder.path());
        let connection = within(scope(&admission, TENANT)?, pool.acquire()).await?;
        Ok(Self { connection, raw: raw(folder.path()).await?, _folder: folder })
    }

    async fn run(&mut self, text: &str, arguments: &[Value]) -> Outcome {
        let scope = self.connection.scope().clone();
        within(scope, Outcome::of(&mut self.connection, text, arguments)).await
    }
}

/// The database in a folder of its own.
fn copy(of: &TempDir) -> Result<TempDir, sqlx::Error> {
    let folder = tempfile::tempdir()?;
    std::fs::copy(of.path().join(FILE), folder.path().join(FILE))?;
    Ok(folder)
}

/// A shared database with the rows of these tenants.
async fn fill(ddl: &[impl AsRef<str>], tenants: &[(i64, &Vec<Insert>)]) -> Result<TempDir, sqlx::Error> {
    let folder = tempfile::tempdir()?;
    let (pool, admission) = open(folder.path());
    let script = ddl.iter().map(|statement| format!("{};\n", statement.as_ref())).collect::<String>();
    let script = AssertSqlSafe(script).into_sql_str();
    let migration = Migration::new(1, "schema".into(), MigrationType::Simple, script, false);
    let migrator = Migrator::with_migrations(vec![migration]);
    pool.migrate(&migrator).await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
    for (id, rows) in tenants {
        within(scope(&admission, *id)?, insert(&pool, rows)).await?;
    }
    // All into the one file that is copied.
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut raw(folder.path()).await?).await?;
    Ok(folder)
}

fn open(folder: &Path) -> (ScopedPool<Sqlite>, Arc<Admission>) {
    let tenants = OTHERS.into_iter().chain([TENANT]);
    let tenants = tenants.filter_map(|id| Some(Tenant::new(TenantId::new(id), format!("t{id}").parse().ok()?)));
    let admission = Arc::new(Admission::new(Arc::new(Mirror::from_iter(tenants)), Plans::default()));
    let options = SqliteOptions::new(folder.join(FILE), folder.join("dedicated"));
    (ScopedPool::sqlite(options, Some(Arc::clone(&admission))), admission)
}

fn scope(admission: &Admission, id: i64) -> Result<Scope, sqlx::Error> {
    admission.admit_id(TenantId::new(id)).map_err(|refusal| sqlx::Error::Configuration(Box::new(refusal)))
}

async fn insert(pool: &ScopedPool<Sqlite>, rows: &[Insert]) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    for row in rows {
        run::fetch(&mut *transaction, &row.text(), &row.values).await?;
    }
    transaction.commit().await
}

async fn raw(folder: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(folder.join(FILE)).connect().await
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("folder", &self.among_others).finish_non_exhaustive()
    }
}

impl fmt::Debug for Scoped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").field("connection", &self.among_others.connection).finish_non_exhaustive()
    }
}
