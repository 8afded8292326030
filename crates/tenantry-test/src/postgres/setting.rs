//! The databases: two private ones, the shared one, and one that is shared with nobody.

use std::str::FromStr;

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
    postgres::PgConnectOptions,
};
use tenantry_sql::Name;
use tenantry_sqlx::{PostgresOptions, ScopedPool};

use super::{
    Planner, Side,
    standard::{COUNTRIES, LOGICAL, TABLES, Table},
    world,
};
use crate::server::{ServerError, TestDatabase, TestRole};

/// The tenant under test.
pub const TENANT: i64 = 42;

/// What keeps tenants apart in the shared database, besides the rewriting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Walls {
    /// Row-level security is in force, as it is outside of tests.
    RowSecurity,
    /// Nothing: then the rewriting is alone.
    None,
}

/// The databases of a test, and everybody's rows in them. They are gone with the value.
#[derive(Debug)]
pub struct Setting {
    private: TestDatabase,
    /// The same rows in the opposite order, and other ways to get at them.
    permuted: TestDatabase,
    shared: (TestDatabase, TestRole),
    /// The tenant has the shared tables for itself.
    alone: (TestDatabase, TestRole),
}

impl Setting {
    pub(crate) const OWN: i64 = TENANT;
    pub(crate) const LARGER: i64 = 7;
    pub(crate) const SMALLER: i64 = 43;

    /// New databases.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub async fn new(walls: Walls) -> Result<Self, ServerError> {
        Ok(Self {
            private: private(false).await?,
            permuted: private(true).await?,
            shared: shared(walls, &[Self::LARGER, Self::OWN, Self::SMALLER]).await?,
            alone: shared(walls, &[Self::OWN]).await?,
        })
    }

    /// The shared database.
    pub const fn shared(&self) -> &TestDatabase {
        &self.shared.0
    }

    /// The role of the application in the shared database.
    pub const fn application(&self) -> &TestRole {
        &self.shared.1
    }

    /// The tenant's own database.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn private_side(&self) -> Result<Side, sqlx::Error> {
        Side::private(&self.private.admin_url()).await
    }

    /// The same, where nothing has the order that it has there.
    pub(crate) async fn permuted_side(&self) -> Result<Side, sqlx::Error> {
        let mut side = Side::private(&self.permuted.admin_url()).await?;
        side.must(PERMUTED).await?;
        Ok(side)
    }

    /// The tenant's share of the shared database.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn shared_side(&self, planner: Planner) -> Result<Side, sqlx::Error> {
        Side::shared(&self.shared.0.admin_url(), &self.shared.1.name, planner).await
    }

    pub(crate) async fn alone_side(&self, planner: Planner) -> Result<Side, sqlx::Error> {
        Side::shared(&self.alone.0.admin_url(), &self.alone.1.name, planner).await
    }
}

/// Other ways to get at rows, which give them in another order.
const PERMUTED: &str = "
SET enable_hashjoin = off; SET enable_hashagg = off; SET enable_indexscan = off; SET enable_bitmapscan = off;
SET enable_indexonlyscan = off; SET enable_memoize = off;";

async fn private(permuted: bool) -> Result<TestDatabase, ServerError> {
    let database = TestDatabase::new().await?;
    run(database.url(), LOGICAL).await?;
    let mut rows = world::rows("public", None, permuted);
    rows.push(world::countries("public"));
    fill(&database, &rows).await?;
    Ok(database)
}

/// A database whose tables tenants share, made as an application's migrations make them.
async fn shared(walls: Walls, tenants: &[i64]) -> Result<(TestDatabase, TestRole), ServerError> {
    let mut database = TestDatabase::new().await?;
    let application = database.role("app").await?;
    let [role, owner] = [&application.url, database.url()].map(PgConnectOptions::from_str);
    let mut options = PostgresOptions::new(role?, owner?);
    options.global = vec![Name::exact(COUNTRIES.0)];
    let pool = ScopedPool::postgres(options, None);
    let script = AssertSqlSafe(LOGICAL.join(";\n")).into_sql_str();
    let migration = Migration::new(1, "the standard schema".into(), MigrationType::Simple, script, false);
    pool.migrate(&Migrator::with_migrations(vec![migration])).await.map_err(sqlx::Error::from)?;
    drop(pool);
    if walls == Walls::None {
        let without = |table: &Table| {
            let table = format!("tenantry_shared.{}", table.name);
            format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        };
        run(database.url(), &TABLES.iter().map(without).collect::<Vec<_>>()).await?;
    }
    let mut rows = vec![world::countries("tenantry_shared")];
    rows.extend(tenants.iter().flat_map(|tenant| world::rows("tenantry_shared", Some(*tenant), false)));
    fill(&database, &rows).await?;
    Ok((database, application))
}

/// Inserts rows in any order, which the constraints accept when all are there.
async fn fill(database: &TestDatabase, rows: &[String]) -> Result<(), ServerError> {
    let freely = std::iter::once("SET session_replication_role = replica".to_owned());
    let texts: Vec<_> = freely.chain(rows.iter().cloned()).chain(["ANALYZE".to_owned()]).collect();
    let revoked = format!("REVOKE TEMPORARY ON DATABASE {} FROM public", database.name());
    run(&database.admin_url(), &[texts, vec![revoked]].concat()).await
}

async fn run(url: &str, texts: &[impl AsRef<str>]) -> Result<(), ServerError> {
    let mut connection = PgConnection::connect(url).await?;
    for text in texts {
        sqlx::raw_sql(AssertSqlSafe(text.as_ref())).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}
