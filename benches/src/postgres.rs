//! Tables with the rows of many tenants on PostgreSQL, and the same with those of one.

use std::str::FromStr;

use anyhow::Context;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tenantry::{PostgresOptions, Scope, ScopedPool, TenantId};
use tenantry_test::server::{TestDatabase, TestRole};

use crate::tables::{TENANTS, admission, migrator};

/// The rows of each tenant.
pub const ROWS: i64 = 1_000;
/// The tenant that is measured: one in the middle.
pub const TENANT: i64 = TENANTS / 2;

/// The application's tables.
pub const SCHEMA: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);
    CREATE TABLE notes (
        id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id), title text NOT NULL, body text NOT NULL,
        stars integer NOT NULL DEFAULT 0
    );
    CREATE INDEX notes_by_user ON notes (user_id)";

const BY_HAND: &str = "
    CREATE SCHEMA by_hand;
    CREATE TABLE by_hand.users (tenant_id bigint, id bigint, email text NOT NULL, PRIMARY KEY (tenant_id, id));
    CREATE TABLE by_hand.notes (
        tenant_id bigint, id bigint, user_id bigint NOT NULL, title text NOT NULL, body text NOT NULL,
        stars integer NOT NULL DEFAULT 0, PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, user_id) REFERENCES by_hand.users (tenant_id, id)
    );
    CREATE INDEX notes_by_user ON by_hand.notes (tenant_id, user_id)";

/// Shared tables; beside them tables with a tenant column as one would write them by hand; and a private database.
#[derive(Debug)]
pub struct Deployment {
    /// The pool.
    pub pool: ScopedPool<Postgres>,
    scope: Scope,
    role: TestRole,
    database: TestDatabase,
    private: TestDatabase,
}

impl Deployment {
    /// With the tables, and no rows.
    ///
    /// # Errors
    ///
    /// When the server fails, or there is none.
    pub async fn empty() -> anyhow::Result<Self> {
        let (mut database, private) = (TestDatabase::new().await?, TestDatabase::new().await?);
        let role = database.role("app").await?;
        let [application, owner] = [role.url.as_str(), database.url()].map(PgConnectOptions::from_str);
        let pool = ScopedPool::postgres(PostgresOptions::new(application?, owner?), None);
        pool.migrate(&migrator(&[SCHEMA])).await?;
        let scope = admission(TENANTS).admit_id(TenantId::new(TENANT)).map_err(anyhow::Error::msg)?;
        Ok(Self { pool, scope, role, database, private })
    }

    /// With all rows.
    ///
    /// # Errors
    ///
    /// As [`Deployment::empty`].
    pub async fn filled() -> anyhow::Result<Self> {
        let deployment = Self::empty().await?;
        let mut admin = deployment.admin().await?;
        fill(&mut admin, "tenantry_shared", "_tenant", TENANTS).await?;
        admin.execute(BY_HAND).await?;
        fill(&mut admin, "by_hand", "tenant_id", TENANTS).await?;
        admin.execute("VACUUM ANALYZE").await?;
        let mut own = deployment.private().await?;
        own.execute(SCHEMA).await?;
        fill(&mut own, "public", "", 1).await?;
        own.execute("VACUUM ANALYZE").await?;
        Ok(deployment)
    }

    /// Runs one migration more.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub async fn migrate_further(&self, script: &str) -> anyhow::Result<()> {
        Ok(self.pool.migrate(&migrator(&[SCHEMA, script])).await?)
    }

    /// The scope of the tenant that is measured.
    pub fn scope(&self) -> Scope {
        self.scope.clone()
    }

    /// A connection for which row-level security does not hold.
    ///
    /// # Errors
    ///
    /// When the server fails.
    pub async fn admin(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.database.admin_url()).await
    }

    /// A connection of the application's role, for which it holds.
    ///
    /// # Errors
    ///
    /// When the server fails.
    pub async fn application(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.role.url).await
    }

    /// A connection to the private database.
    ///
    /// # Errors
    ///
    /// When the server fails.
    pub async fn private(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(self.private.url()).await
    }

    /// A pool of sqlx on the tables that were made by hand.
    ///
    /// # Errors
    ///
    /// When the server fails.
    pub async fn plain_pool(&self) -> Result<PgPool, sqlx::Error> {
        // Without a question to the connection before each use, which our pool does not ask either.
        PgPoolOptions::new().test_before_acquire(false).connect(&self.database.admin_url()).await
    }
}

async fn fill(connection: &mut PgConnection, schema: &str, tenant: &str, tenants: i64) -> anyhow::Result<()> {
    let (column, value) = if tenant.is_empty() { (String::new(), "") } else { (format!("{tenant}, "), "t, ") };
    let text = format!(
        "INSERT INTO {schema}.users ({column}id, email)
             SELECT {value}n, 'user' || n || '@example.com' FROM generate_series(1, {tenants}) t, generate_series(1, 100) n;
         INSERT INTO {schema}.notes ({column}id, user_id, title, body)
             SELECT {value}n, n % 100 + 1, 'note ' || n, 'body of ' || n
             FROM generate_series(1, {tenants}) t, generate_series(1, {ROWS}) n;"
    );
    connection.execute(AssertSqlSafe(text)).await.map(drop).context("the rows")
}
