//! The database that statements are for: the deployment's, or one made for the purpose.

use std::{fs, path::PathBuf, sync::Arc};

use sqlx::{
    AssertSqlSafe, SqlSafeStr, Sqlite,
    migrate::{Migration, MigrationType, Migrator},
};
use tempfile::TempDir;
use tenantry::{
    Admission, Candidate, Code, Mirror, Plans, Scope, ScopedPool, Slug, SqliteOptions, Tenancy, Tenant, TenantId,
};

use super::engine::Engine;
use crate::{deployment::Deployment, failure::Failure};

/// Which database.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// A fresh shared database with the tables of this script, instead of the deployment's
    #[arg(long, value_name = "FILE.sql")]
    schema: Option<PathBuf>,
}

/// A database of whichever kind.
pub(super) enum Opened {
    Sqlite(Target<Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(Target<sqlx::Postgres>),
}

/// A database, and who is admitted to it.
pub(super) struct Target<DB: Engine> {
    pub(super) pool: ScopedPool<DB>,
    admission: Arc<Admission>,
    _folder: Option<TempDir>,
}

impl Which {
    /// Opens the database; in a fresh one, which is always in SQLite, there are `tenants`.
    pub(super) async fn open(&self, deployment: &Deployment, tenants: &[Slug]) -> Result<Opened, Failure> {
        if let Some(schema) = &self.schema {
            return fresh(schema, tenants).await.map(Opened::Sqlite);
        }
        let tenancy = Tenancy::with(deployment.config.clone()).await?;
        let admission = Arc::new(tenancy.admission().clone());
        #[cfg(feature = "postgres")]
        if deployment.config.database.url.is_some() {
            return Ok(Opened::Postgres(Target { pool: tenancy.postgres(), admission, _folder: None }));
        }
        Ok(Opened::Sqlite(Target { pool: tenancy.sqlite(), admission, _folder: None }))
    }
}

impl<DB: Engine> Target<DB> {
    pub(super) fn admit(&self, slug: &Slug) -> Result<Scope, Failure> {
        let refused = |refusal: tenantry::Refusal| match refusal.code() {
            Code::TenantUnknown => Failure::refused(Code::TenantUnknown, format!("no tenant is called {slug}")),
            code => Failure::refused(code, refusal.to_string()),
        };
        self.admission.admit(&Candidate::new(slug.clone())).map_err(refused)
    }
}

async fn fresh(schema: &PathBuf, tenants: &[Slug]) -> Result<Target<Sqlite>, Failure> {
    let script = fs::read_to_string(schema)
        .map_err(|error| Failure::other("io", format!("{} cannot be read: {error}", schema.display())))?;
    let folder = TempDir::new()?;
    let pool = ScopedPool::sqlite(SqliteOptions::new(folder.path().join("shared.db"), folder.path().join("own")), None);
    let script = AssertSqlSafe(script).into_sql_str();
    let migration = Migration::new(1, "schema".into(), MigrationType::Simple, script, false);
    let migrated = pool.migrate(&Migrator::with_migrations(vec![migration])).await;
    migrated.map_err(|error| Failure::other("schema", format!("{}: {error}", schema.display())))?;
    let tenants = tenants.iter().zip(1..).map(|(slug, id)| Tenant::new(TenantId::new(id), slug.clone()));
    let mirror = Arc::new(Mirror::from_iter(tenants));
    let admission = Arc::new(Admission::new(mirror, Plans::default()));
    Ok(Target { pool, admission, _folder: Some(folder) })
}
