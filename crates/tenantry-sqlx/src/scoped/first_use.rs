//! What an application does at its start, done for each tenant when it is first used.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sqlx::{Database, migrate::MigrateError, migrate::Migrator};
use tenantry_core::Scope;
use tenantry_resource::{Bounds, BoxError, MakeFn, PerTenant, make_fn};

use tenantry_sql::Plan;

use super::{Explain, Lease, Planning, ScopeError, ScopedPool, Source};

/// Leases connections to a tenant only after its preparation.
pub(super) struct FirstUse<DB: Database> {
    source: Arc<dyn Source<DB>>,
    prepared: PerTenant<MakeFn<()>>,
}

impl<DB: Database> FirstUse<DB> {
    pub(super) fn new<F, Fut, E>(source: Arc<dyn Source<DB>>, prepare: F) -> Self
    where
        F: Fn(ScopedPool<DB>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let unprepared = ScopedPool::from_source(Arc::clone(&source));
        let make = make_fn(move |_: Scope| prepare(unprepared.clone()));
        Self { source, prepared: PerTenant::new(make, Bounds::default()) }
    }
}

impl<DB: Database> Source<DB> for FirstUse<DB> {
    fn lease<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Lease<DB>, sqlx::Error>> {
        Box::pin(async move {
            if self.prepared.ready(scope).is_none() {
                self.prepared.of(scope).await.map_err(ScopeError::from)?;
            }
            self.source.lease(scope).await
        })
    }

    fn move_wait_max(&self) -> Duration {
        self.source.move_wait_max()
    }

    fn planning(&self) -> BoxFuture<'_, Result<Arc<dyn Planning>, sqlx::Error>> {
        self.source.planning()
    }

    fn explain<'a>(&'a self, plan: &'a Plan, what: Explain) -> BoxFuture<'a, Result<Vec<DB::Row>, sqlx::Error>> {
        self.source.explain(plan, what)
    }

    fn migrate<'a>(&'a self, migrator: &'a Migrator) -> BoxFuture<'a, Result<(), MigrateError>> {
        self.source.migrate(migrator)
    }
}

impl<DB: Database> fmt::Debug for FirstUse<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FirstUse").field(&self.source).finish()
    }
}
