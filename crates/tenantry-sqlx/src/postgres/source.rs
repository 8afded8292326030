//! Leases on PostgreSQL: of the database that tenants share, and of those that tenants have of their own.

use std::{
    fmt,
    sync::{Arc, Once, OnceLock, Weak},
};

use futures_util::future::BoxFuture;
use sqlx::{
    Postgres,
    migrate::{MigrateError, Migrator},
    postgres::PgRow,
};
use tenantry_core::{Admission, Scope};
use tenantry_resource::{MakeFn, PerTenant, make_fn};
use tenantry_sql::Plan;
use tokio::sync::{Mutex, OnceCell};

use super::{
    PostgresOptions,
    budget::{Budget, NoSlot, Slot, Target},
    connection::{Connection, Losses},
    dedicated::Dedicated,
    explain,
    held::{Held, Kept},
    keeper::Keeper,
};
use crate::{
    migrations,
    scoped::{Explain, Lease, Planning, Rows, ScopeError, ScopedPool, Source, Statements},
};

/// The databases of all tenants. Nothing is opened before it is needed.
pub(crate) struct Servers {
    options: PostgresOptions,
    /// Asked again for each lease: a tenant may have been suspended since its scope was made.
    admission: Option<Arc<Admission>>,
    keeper: OnceCell<Arc<Keeper>>,
    budget: Arc<Budget<Kept>>,
    /// Closing what nobody uses begins with the first connection.
    closing: Once,
    losses: Losses,
    dedicated: PerTenant<MakeFn<Arc<Dedicated>>>,
    /// What the databases of tenants' own are migrated with when they are first used.
    migrator: Arc<OnceLock<Migrator>>,
}

impl ScopedPool<Postgres> {
    /// A pool over the databases that `options` describe. They are opened when they are first used.
    ///
    /// With `admission`, a tenant that has been suspended since gets no connection any more.
    pub fn postgres(options: PostgresOptions, admission: Option<Arc<Admission>>) -> Self {
        Self::new(Servers::new(options, admission))
    }
}

impl Servers {
    fn new(options: PostgresOptions, admission: Option<Arc<Admission>>) -> Self {
        let migrator: Arc<OnceLock<Migrator>> = Arc::default();
        let (opening, migrating) = (options.clone(), Arc::clone(&migrator));
        let open = move |scope: Scope| {
            let (options, migrator) = (opening.clone(), Arc::clone(&migrating));
            async move { Dedicated::open(&options, &scope, migrator.get()).await.map(Arc::new) }
        };
        let dedicated = PerTenant::new(make_fn(open), options.bounds);
        let budget = Budget::new(options.connections_max, options.waiters_max);
        let (keeper, closing, losses) = (OnceCell::new(), Once::new(), Losses::default());
        Self { options, admission, keeper, budget, closing, losses, dedicated, migrator }
    }

    /// The keeper of the shared database, which is opened if it is not.
    async fn keeper(&self) -> Result<&Arc<Keeper>, sqlx::Error> {
        self.keeper.get_or_try_init(|| Keeper::open(self.options.clone())).await
    }

    /// Closes connections that nobody has used for long, for as long as the pool is there.
    fn close_idle(&self) {
        let (budget, idle): (Weak<_>, _) = (Arc::downgrade(&self.budget), self.options.idle_timeout);
        #[expect(clippy::disallowed_methods, reason = "the connections are those of all tenants")]
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(idle / 4).await;
                let Some(budget) = budget.upgrade() else { return };
                budget.close_idle(idle);
            }
        });
    }

    async fn lease_shared(&self, scope: &Scope) -> Result<Lease<Postgres>, sqlx::Error> {
        let keeper = self.keeper().await?;
        keeper.admit()?;
        keeper.provision(scope).await?;
        let connect = Connection::to_shared(&self.options.application, &self.losses);
        let held = self.hold(scope, Target::Shared, connect).await?;
        Ok(Lease::new(scope.clone(), held, Statements::Scoped(Arc::clone(keeper) as Arc<dyn Planning>)))
    }

    async fn lease_dedicated(&self, scope: &Scope) -> Result<Lease<Postgres>, sqlx::Error> {
        let database = self.dedicated.of(scope).await.map_err(ScopeError::from)?;
        let connect = Connection::to(database.options(), &self.losses);
        let held = self.hold(scope, Target::Dedicated(scope.id()), connect).await?;
        Ok(Lease::new(scope.clone(), held, Statements::AsWritten))
    }

    /// A connection of the budget: one that lay idle, or else a new one.
    async fn hold(
        &self,
        scope: &Scope,
        target: Target,
        connect: impl Future<Output = Result<Connection, sqlx::Error>>,
    ) -> Result<Held, sqlx::Error> {
        let mut slot = self.slot(scope, target).await?;
        let kept = match self.idle(&mut slot).await {
            Some(kept) => kept,
            None => Arc::new(Mutex::new(self.in_time(connect).await?)),
        };
        Ok(Held::new(slot, kept, target, scope.id(), self.losses.clone()).await)
    }

    async fn slot(&self, scope: &Scope, target: Target) -> Result<Slot<Kept>, sqlx::Error> {
        self.closing.call_once(|| self.close_idle());
        let PostgresOptions { connections_max, waiters_max, acquire_timeout, .. } = self.options;
        let taken = self.budget.take(scope.id(), target, acquire_timeout).await;
        taken.map_err(|no_slot| match no_slot {
            NoSlot::TimedOut => {
                tracing::warn!(connections_max, ?acquire_timeout, "no connection to PostgreSQL became free");
                sqlx::Error::PoolTimedOut
            }
            NoSlot::TooManyWait => ScopeError::TooManyWait { waiters_max }.into(),
        })
    }

    /// The connection that lay idle in the place, if it is still good.
    async fn idle(&self, slot: &mut Slot<Kept>) -> Option<Kept> {
        let (kept, idle) = slot.connection()?;
        let is_alive = kept.lock().await.is_alive(idle, &self.losses).await;
        is_alive.then_some(kept)
    }

    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
        let timeout = self.options.acquire_timeout;
        tokio::time::timeout(timeout, connecting).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

impl Source<Postgres> for Servers {
    fn planning(&self) -> BoxFuture<'_, Result<Arc<dyn Planning>, sqlx::Error>> {
        Box::pin(async move { Ok(Arc::clone(self.keeper().await?) as Arc<dyn Planning>) })
    }

    fn explain<'a>(&'a self, plan: &'a Plan, what: Explain) -> BoxFuture<'a, Result<Vec<PgRow>, sqlx::Error>> {
        Box::pin(explain::explain(&self.options.application, plan, what))
    }

    fn migrate<'a>(&'a self, migrator: &'a Migrator) -> BoxFuture<'a, Result<(), MigrateError>> {
        Box::pin(async move {
            // Whoever migrates twice means the same migrations.
            drop(self.migrator.set(migrations::copy(migrator)));
            self.keeper().await.map_err(MigrateError::Execute)?.migrate(migrator).await
        })
    }

    fn lease<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Lease<Postgres>, sqlx::Error>> {
        Box::pin(async move {
            match Rows::of(scope, self.admission.as_deref())? {
                Rows::Shared => self.lease_shared(scope).await,
                Rows::Dedicated => self.lease_dedicated(scope).await,
            }
        })
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("options", &self.options).field("budget", &self.budget).finish_non_exhaustive()
    }
}
