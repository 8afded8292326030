//! The database that a tenant has of its own, on the same server.

use std::fmt;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, migrate::Migrator, postgres::PgConnectOptions};
use tenantry_core::{Placement, Scope, TenantId};
use tenantry_sql::Quoted;

use super::{PostgresOptions, schema::gone::have_left};
use crate::{
    migrations::{self, Halted},
    scoped::ScopeError,
};

/// A database of a tenant's own. The application's role owns it, as it would own a private one.
pub(super) struct Dedicated {
    options: PgConnectOptions,
}

impl Dedicated {
    /// Opens it: makes it if there is none, and brings its schema up to date. None is made in place of one whose rows have
    /// been moved: [`ScopeError::Moved`].
    pub(super) async fn open(
        options: &PostgresOptions,
        scope: &Scope,
        migrator: Option<&Migrator>,
    ) -> Result<Self, sqlx::Error> {
        if has_left(options, scope.id()).await? {
            return Err(ScopeError::Moved.into());
        }
        Ok(Self { options: make(options, scope.id(), migrator).await? })
    }

    /// How to connect to it.
    pub(super) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

/// Whether there is none since its rows have been moved to the shared tables.
pub(super) async fn has_left(options: &PostgresOptions, tenant: TenantId) -> Result<bool, sqlx::Error> {
    let mut owner = options.owner.connect().await?;
    let is_there = exists(&name(options, tenant), &mut owner).await?;
    let has_left = !is_there && have_left(&mut owner, tenant, &Placement::Dedicated).await?;
    owner.close().await?;
    Ok(has_left)
}

/// Makes it if there is none, and brings its schema up to date. Says how to connect to it.
pub(super) async fn make(
    options: &PostgresOptions,
    tenant: TenantId,
    migrator: Option<&Migrator>,
) -> Result<PgConnectOptions, sqlx::Error> {
    let name = name(options, tenant);
    let mut owner = options.owner.connect().await?;
    create(&mut owner, &name, options.application.get_username()).await?;
    drop(owner);
    let options = options.application.clone().database(&name);
    if let Some(migrator) = migrator {
        let migrated = migrate(&options, migrator).await;
        migrated.map_err(|halted| sqlx::Error::Migrate(Box::new(halted.error)))?;
    }
    Ok(options)
}

/// Brings the schema of one that is there up to date, and says how many migrations that took. Several may do that at once.
pub(super) async fn migrate(options: &PgConnectOptions, migrator: &Migrator) -> Result<u64, Halted> {
    // When it fails the connection is cut, which undoes what was begun and lets others in.
    let mut connection = options.connect().await?;
    let applied = migrations::run(migrator, &mut connection).await?;
    connection.close().await?;
    Ok(applied)
}

/// What it is called: by the tenant's number, since the name may change.
pub(super) fn name(options: &PostgresOptions, tenant: TenantId) -> String {
    let shared = options.application.get_database().unwrap_or(options.application.get_username());
    format!("{shared}_{tenant}")
}

/// What the database is called that is to become it when an archive is taken in.
pub(super) fn importing(name: &str) -> String {
    format!("{name}_importing")
}

/// Whether a database is there.
pub(super) async fn exists(name: &str, owner: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let text = "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)";
    sqlx::query_scalar(text).bind(name).fetch_one(owner).await
}

/// Makes a database, unless it is there.
pub(super) async fn create(owner: &mut PgConnection, name: &str, application: &str) -> Result<(), sqlx::Error> {
    if exists(name, owner).await? {
        return Ok(());
    }
    let (name, application) = (Quoted::new(name), Quoted::new(application));
    let create = format!("CREATE DATABASE {name} OWNER {application} TEMPLATE template0");
    match sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *owner).await {
        Ok(_) => {}
        // Another process was faster (42P04, duplicate_database; 23505 when both are at it at once).
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => {}
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => {
            let message = error.message();
            let text = format!(
                "the owner may not make databases for tenants of their own ({message}); as an administrator: \
                 ALTER ROLE <owner> CREATEDB; GRANT {application} TO <owner>"
            );
            return Err(sqlx::Error::Configuration(text.into()));
        }
        Err(error) => return Err(error),
    }
    let closed = format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC");
    sqlx::raw_sql(AssertSqlSafe(closed)).execute(owner).await.map(drop)
}

/// Drops a database, if it is there. Connections to it are ended.
pub(super) async fn drop_database(name: &str, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", Quoted::new(name));
    sqlx::raw_sql(AssertSqlSafe(text)).execute(owner).await.map(drop)
}

impl fmt::Debug for Dedicated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedicated").field("database", &self.options.get_database()).finish_non_exhaustive()
    }
}
