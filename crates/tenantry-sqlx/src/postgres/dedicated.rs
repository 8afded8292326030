//! The database that a tenant has of its own, on the same server.

use std::fmt;

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, migrate::Migrator, postgres::PgConnectOptions};
use tenantry_core::{Scope, TenantId};
use tenantry_sql::Quoted;

use super::PostgresOptions;

/// A database of a tenant's own. The application's role owns it, as it would own a private one.
pub(super) struct Dedicated {
    options: PgConnectOptions,
}

impl Dedicated {
    /// Opens it: makes it if there is none, and brings its schema up to date.
    pub(super) async fn open(
        options: &PostgresOptions,
        scope: &Scope,
        migrator: Option<&Migrator>,
    ) -> Result<Self, sqlx::Error> {
        let name = name(options, scope.id());
        let mut owner = options.owner.connect().await?;
        create(&mut owner, &name, options.application.get_username()).await?;
        drop(owner);
        let options = options.application.clone().database(&name);
        if let Some(migrator) = migrator {
            let mut connection = options.connect().await?;
            migrator
                .run_direct(None, &mut connection, false)
                .await
                .map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
        }
        Ok(Self { options })
    }

    /// How to connect to it.
    pub(super) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

/// What it is called: by the tenant's number, since the name may change.
pub(super) fn name(options: &PostgresOptions, tenant: TenantId) -> String {
    let shared = options.application.get_database().unwrap_or(options.application.get_username());
    format!("{shared}_{tenant}")
}

async fn create(owner: &mut PgConnection, name: &str, application: &str) -> Result<(), sqlx::Error> {
    let is_there = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)");
    if is_there.bind(name).fetch_one(&mut *owner).await? {
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

impl fmt::Debug for Dedicated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedicated").field("database", &self.options.get_database()).finish_non_exhaustive()
    }
}
