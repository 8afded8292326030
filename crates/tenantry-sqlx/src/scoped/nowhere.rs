//! A pool for which no database is configured.

use futures_util::future::{BoxFuture, ready};
use sqlx::{
    Database,
    migrate::{MigrateError, Migrator},
};
use tenantry_core::Scope;
use tenantry_sql::Plan;

use super::{Explain, Lease, Planning, ScopeError, ScopedPool, Source};

/// Says what is missing, whatever it is asked for.
#[derive(Debug)]
struct Nowhere {
    missing: &'static str,
}

impl<DB: Database> ScopedPool<DB> {
    /// A pool without a database, all of whose statements fail and say what is missing in the configuration.
    pub fn unconfigured(missing: &'static str) -> Self {
        Self::new(Nowhere { missing })
    }
}

impl Nowhere {
    fn error(&self) -> sqlx::Error {
        ScopeError::NotConfigured { missing: self.missing }.into()
    }
}

impl<DB: Database> Source<DB> for Nowhere {
    fn lease<'a>(&'a self, _: &'a Scope) -> BoxFuture<'a, Result<Lease<DB>, sqlx::Error>> {
        Box::pin(ready(Err(self.error())))
    }

    fn planning(&self) -> BoxFuture<'_, Result<std::sync::Arc<dyn Planning>, sqlx::Error>> {
        Box::pin(ready(Err(self.error())))
    }

    fn explain<'a>(&'a self, _: &'a Plan, _: Explain) -> BoxFuture<'a, Result<Vec<DB::Row>, sqlx::Error>> {
        Box::pin(ready(Err(self.error())))
    }

    fn migrate<'a>(&'a self, _: &'a Migrator) -> BoxFuture<'a, Result<(), MigrateError>> {
        Box::pin(ready(Err(MigrateError::Execute(self.error()))))
    }
}
