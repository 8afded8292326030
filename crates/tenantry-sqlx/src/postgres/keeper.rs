//! The keeper of the shared database's schema, and of the second wall.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::Instant,
};

use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions, PgConnection, migrate::MigrateError, migrate::Migrator};
use tenantry_core::Scope;
use tenantry_sql::{Dialect, Plans, Rewriter, SchemaMap};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    PostgresOptions, connection,
    owner::Owner,
    schema::{self, Setup, Severity},
};
use crate::scoped::{Planning, ScopeError};

/// Knows the schema, changes it, and says whether statements may run.
pub(super) struct Keeper {
    options: PostgresOptions,
    owner: Owner,
    /// A connection of the application's role that asks about the schema, beside those of the budget.
    watch: AsyncMutex<Option<PgConnection>>,
    plans: RwLock<Arc<Plans>>,
    /// What is wrong with the second wall, as far as is known.
    breach: RwLock<Option<Arc<str>>>,
    /// Tenants that are known to have their rows.
    provisioned: Mutex<HashSet<i64>>,
}

impl Keeper {
    /// Opens the shared database, and makes what is missing of Tenantry's own.
    pub(super) async fn open(options: PostgresOptions) -> Result<Arc<Self>, sqlx::Error> {
        let keeper = Self {
            owner: Owner::new(options.owner.clone()),
            watch: AsyncMutex::default(),
            plans: RwLock::new(Arc::new(plans(SchemaMap::default(), &options))),
            breach: RwLock::default(),
            provisioned: Mutex::default(),
            options,
        };
        let mut owner = keeper.owner.take().await?;
        let globals: Vec<_> = keeper.options.global.iter().map(|name| name.as_str().to_owned()).collect();
        let setup = Setup { application: keeper.options.application.get_username(), globals: &globals };
        schema::install(&mut owner, setup).await?;
        owner.put_back();
        keeper.reload().await?;
        keeper.check_wall().await?;
        let keeper = Arc::new(keeper);
        keeper.watch();
        Ok(keeper)
    }

    /// Looks for changes that other processes made, and whether the second wall holds, for as long as somebody uses the
    /// keeper.
    fn watch(self: &Arc<Self>) {
        let keeper = Arc::downgrade(self);
        let (poll, walls_check) = (self.options.poll, self.options.walls_check);
        #[expect(clippy::disallowed_methods, reason = "the schema is that of all tenants")]
        tokio::spawn(async move {
            let mut checked = Instant::now();
            loop {
                tokio::time::sleep(poll).await;
                let Some(keeper) = Weak::upgrade(&keeper) else { return };
                keeper.look_again().await;
                if checked.elapsed() >= walls_check {
                    if let Err(error) = keeper.check_wall().await {
                        tracing::warn!(%error, "the server cannot be asked whether row-level security holds");
                    }
                    checked = Instant::now();
                }
            }
        });
    }

    /// Refuses when the second wall is known not to hold.
    pub(super) fn admit(&self) -> Result<(), ScopeError> {
        match &*self.breach.read().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(breach) => Err(ScopeError::SecondWall(Arc::clone(breach))),
        }
    }

    async fn check_wall(&self) -> Result<(), sqlx::Error> {
        let found = self.ask(async |watch| schema::doctor(watch).await).await?;
        let breach = found
            .iter()
            .find(|finding| finding.severity == Severity::Broken)
            .map(|finding| Arc::from(finding.what.as_str()));
        let mut known = self.breach.write().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &breach) {
            (None, Some(breach)) => {
                tracing::error!(%breach, "row-level security does not hold; no statement runs until it does");
            }
            (Some(_), None) => tracing::info!("row-level security holds again"),
            _ => {}
        }
        *known = breach;
        Ok(())
    }

    /// Reads the schema if it has another version than the plans. Says whether it has.
    async fn reload(&self) -> Result<bool, sqlx::Error> {
        let known = self.plans().schema().version();
        let read = self
            .ask(async |watch| {
                let version = schema::version(watch).await?;
                if version == known && version != 0 { Ok(None) } else { schema::read(watch).await.map(Some) }
            })
            .await?;
        let Some(schema) = read else { return Ok(false) };
        *self.plans.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plans(schema, &self.options));
        Ok(true)
    }

    /// Asks the server by the connection that is kept for it. One that fails is closed.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut place = self.watch.lock().await;
        let mut watch = match place.take() {
            Some(watch) => watch,
            None => connection::pinned(&self.options.application).connect().await?,
        };
        let answer = question(&mut watch).await?;
        *place = Some(watch);
        Ok(answer)
    }

    /// Brings the schema up to date.
    pub(super) async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut owner = self.owner.take().await.map_err(MigrateError::Execute)?;
        schema::migrate(&mut owner, migrator, self.options.limits).await?;
        owner.put_back();
        self.reload().await.map_err(MigrateError::Execute)?;
        self.check_wall().await.map_err(MigrateError::Execute)
    }

    /// Makes sure that the tenant has its first rows.
    pub(super) async fn provision(&self, scope: &Scope) -> Result<(), sqlx::Error> {
        let tenant = scope.id().get();
        if self.provisioned.lock().unwrap_or_else(PoisonError::into_inner).contains(&tenant) {
            return Ok(());
        }
        let mut owner = self.owner.take().await?;
        schema::provision(&mut owner, tenant).await?;
        owner.put_back();
        self.provisioned.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
        Ok(())
    }
}

impl Planning for Keeper {
    fn plans(&self) -> Arc<Plans> {
        Arc::clone(&self.plans.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn look_again(&self) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            self.reload().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the schema of the shared database cannot be read; the one known so far goes on");
                false
            })
        })
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("plans", &self.plans()).finish_non_exhaustive()
    }
}

fn plans(schema: SchemaMap, options: &PostgresOptions) -> Plans {
    Plans::new(Rewriter::new(Arc::new(schema), options.limits).dialect(Dialect::Postgres))
}
