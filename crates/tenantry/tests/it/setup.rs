//! What a test begins with: a configuration, tenants, their scopes, the application's tables.

use std::path::Path;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use tenantry::{Candidate, NewTenant, Scope, Tenancy, config::Config};

/// The default configuration, with all files in this folder.
pub(crate) fn config_in(folder: &Path) -> Config {
    Config::parse("", folder).unwrap()
}

/// Registers tenants of these names, and waits until the deployment knows them.
pub(crate) async fn register(tenancy: &Tenancy, slugs: &[&str]) {
    for slug in slugs {
        tenancy.catalog().create(NewTenant::new(slug.parse().unwrap())).await.unwrap();
    }
    tenancy.refresh().await.unwrap();
}

pub(crate) fn scope(tenancy: &Tenancy, slug: &str) -> Scope {
    tenancy.admission().admit(&Candidate::new(slug.parse().unwrap())).unwrap()
}

/// The application's migrations, of which this is the only one.
pub(crate) fn migrator(script: &'static str) -> Migrator {
    let only = Migration::new(1, "schema".into(), MigrationType::Simple, script.into_sql_str(), false);
    Migrator::with_migrations(vec![only])
}
