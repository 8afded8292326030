//! Leases on PostgreSQL: of the database that tenants share, and of those that tenants have of their own.

use std::{
    error::Error as StdError,
    fmt,
    sync::{Arc, Once, OnceLock, Weak},
    time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{
    Postgres,
    migrate::{MigrateError, Migrator},
    postgres::PgRow,
};
use tenantry_core::{Admission, Revision, Scope};
use tenantry_resource::{BuildError, MakeFn, PerTenant, Unavailable, make_fn};
use tenantry_sql::Plan;
use tokio::sync::{Mutex, OnceCell};

use super::{
    PostgresOptions,
    budget::{Budget, NoSlot, Slot, Target},
    connection::{Connection, Losses},
    dedicated::{self, Dedicated},
    explain, failure,
    held::{Held, Kept},
    keeper::Keeper,
};
use crate::{
    migrations,
    room::Rooms,
    scoped::{Explain, Lease, Planning, Rows, ScopeError, ScopedPool, Source, Statements},
};

/// The databases of all tenants. Nothing is opened before it is needed.
pub(crate) struct Servers {
    options: PostgresOptions,
    /// Asked again for each lease: a tenant may have been suspended since its scope was made.
    admission: Option<Arc<Admission>>,
    keeper: OnceCell<Arc<Keeper>>,
    budget: Arc<Budget<Kept>>,
    /// What is known of how many rows each tenant has in shared tables.
    rooms: Arc<Rooms>,
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
        let (keeper, closing, losses, rooms) = (OnceCell::new(), Once::new(), Losses::default(), Arc::default());
        Self { options, admission, keeper, budget, rooms, closing, losses, dedicated, migrator }
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

    /// Whether a tenant may have moved without a word of it: the catalog cannot be read, and moves do not wait for who cannot
    /// read it.
    fn is_out_of_touch(&self) -> bool {
        let silence = self.admission.as_ref().and_then(|admission| admission.mirror().unconfirmed_for());
        silence.is_some_and(|silence| silence >= self.options.silence_max)
    }

    async fn lease_shared(&self, scope: &Scope) -> Result<Lease<Postgres>, sqlx::Error> {
        let keeper = self.keeper().await?;
        keeper.admit()?;
        keeper.provision(scope, self.is_out_of_touch()).await?;
        let connect = Connection::to_shared(&self.options.application, &self.losses);
        let held = self.hold(scope, Target::Shared, connect).await?;
        let statements = Statements::Scoped(Arc::clone(keeper) as Arc<dyn Planning>);
        Ok(Lease::new(scope.clone(), held, statements).within(&self.rooms))
    }

    async fn lease_dedicated(&self, scope: &Scope) -> Result<Lease<Postgres>, sqlx::Error> {
        let database = self.dedicated.of(scope).await.map_err(unavailable)?;
        let connect = Connection::to(database.options(), &self.losses);
        let held = match self.hold(scope, Target::Dedicated(scope.id()), connect).await {
            // It was there when it was opened.
            Err(error) if failure::has_no_database(&error) => {
                let has_left = dedicated::has_left(&self.options, scope.id()).await?;
                return Err(if has_left { ScopeError::Moved.into() } else { error });
            }
            held => held?,
        };
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
        let record = matches!(target, Target::Dedicated(_)).then(|| scope.tenant().revision);
        let kept = match self.idle(&mut slot, record).await {
            Some(kept) => kept,
            None => {
                let mut connection = self.in_time(connect).await?;
                connection.record = record;
                Arc::new(Mutex::new(connection))
            }
        };
        Held::new(slot, kept, target, scope, self.losses.clone()).await
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
    async fn idle(&self, slot: &mut Slot<Kept>, record: Option<Revision>) -> Option<Kept> {
        let (kept, idle) = slot.connection()?;
        let is_alive = kept.lock().await.is_alive(idle, &self.losses, record).await;
        is_alive.then_some(kept)
    }

    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
        let timeout = self.options.acquire_timeout;
        tokio::time::timeout(timeout, connecting).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

impl Source<Postgres> for Servers {
    fn move_wait_max(&self) -> Duration {
        self.options.move_wait_max
    }

    fn planning(&self) -> BoxFuture<'_, Result<Arc<dyn Planning>, sqlx::Error>> {
        Box::pin(async move { Ok(Arc::clone(self.keeper().await?) as Arc<dyn Planning>) })
    }

    fn explain<'a>(&'a self, plan: &'a Plan, what: Explain) -> BoxFuture<'a, Result<Vec<PgRow>, sqlx::Error>> {
        Box::pin(explain::explain(&self.options.application, plan, what))
    }

    fn migrate<'a>(&'a self, migrator: &'a Migrator) -> BoxFuture<'a, Result<(), MigrateError>> {
        Box::pin(async move {
            // Whoever migrates twice means the same migrations.
            drop(self.migrator.set(migrations::copy_for_opening(migrator)));
            self.keeper().await.map_err(MigrateError::Execute)?.migrate(migrator).await
        })
    }

    fn lease<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Lease<Postgres>, sqlx::Error>> {
        Box::pin(async move {
            let (rows, now) = Rows::of(scope, self.admission.as_deref())?;
            let lease = match rows {
                Rows::Shared => self.lease_shared(&now).await,
                Rows::Dedicated => self.lease_dedicated(&now).await,
            };
            Ok(lease?.asked_for(scope, self.admission.clone()))
        })
    }
}

/// Why there is no database of the tenant's own now.
fn unavailable(unavailable: Unavailable) -> ScopeError {
    let mut cause: Option<&(dyn StdError + 'static)> = match &unavailable {
        Unavailable::Build { error: BuildError::Failed { cause }, .. } => Some(&**cause),
        _ => None,
    };
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(|error| failure::is_moved(error) || is_moved(error)) {
            return ScopeError::Moved;
        }
        cause = error.source();
    }
    unavailable.into()
}

fn is_moved(error: &sqlx::Error) -> bool {
    matches!(ScopeError::of(error), Some(ScopeError::Moved))
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("options", &self.options).field("budget", &self.budget).finish_non_exhaustive()
    }
}
