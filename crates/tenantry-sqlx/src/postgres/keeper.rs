//! The keeper of the shared database's schema, and of the second wall.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::Instant,
};

use futures_util::future::BoxFuture;
use sqlx::migrate::{MigrateError, Migrator};
use tenantry_core::Scope;
use tenantry_sql::{Dialect, Plans, Rewriter, SchemaMap};

use super::{
    PostgresOptions, connection,
    schema::{self, Setup, Severity},
};
use crate::{
    line::Line,
    scoped::{Planning, ScopeError},
};

/// Knows the schema, changes it, and says whether statements may run.
pub(super) struct Keeper {
    options: PostgresOptions,
    /// Migrates, and makes what a new tenant begins with, as the role that owns the schema.
    owner: Line,
    /// Asks about the schema as the application's role, beside the connections of the budget.
    watch: Line,
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
            owner: Line::new(options.owner.clone()),
            watch: Line::new(connection::pinned(&options.application)),
            plans: RwLock::new(Arc::new(plans(SchemaMap::default(), &options))),
            breach: RwLock::default(),
            provisioned: Mutex::default(),
            options,
        };
        let mut owner = keeper.owner.take().await?;
        let globals: Vec<_> = keeper.options.global.iter().map(|name| name.as_str().to_owned()).collect();
        let setup = Setup {
            application: keeper.options.application.get_username(),
            globals: &globals,
            numbering: &keeper.options.numbering,
        };
        schema::install(&mut owner, setup).await?;
        owner.give_back();
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
        let mut watch = self.watch.take().await?;
        let found = schema::doctor(&mut watch).await?;
        watch.give_back();
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
        let mut watch = self.watch.take().await?;
        let version = schema::version(&mut watch).await?;
        let is_new = version != known || version == 0;
        let schema = if is_new { Some(schema::read(&mut watch).await?) } else { None };
        watch.give_back();
        let Some(schema) = schema else { return Ok(false) };
        *self.plans.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plans(schema, &self.options));
        Ok(true)
    }

    /// Brings the schema up to date.
    pub(super) async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut owner = self.owner.take().await.map_err(MigrateError::Execute)?;
        schema::migrate(&mut owner, migrator, self.options.limits).await?;
        owner.give_back();
        self.reload().await.map_err(MigrateError::Execute)?;
        self.check_wall().await.map_err(MigrateError::Execute)
    }

    /// Makes sure that the tenant has its first rows. Who may not have heard that they have left since asks again.
    pub(super) async fn provision(&self, scope: &Scope, may_have_left: bool) -> Result<(), sqlx::Error> {
        let tenant = scope.id().get();
        if !may_have_left && self.provisioned.lock().unwrap_or_else(PoisonError::into_inner).contains(&tenant) {
            return Ok(());
        }
        let mut owner = self.owner.take().await?;
        schema::provision(&mut owner, tenant).await?;
        owner.give_back();
        self.provisioned.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
        Ok(())
    }
}

impl Planning for Keeper {
    fn plans(&self) -> Arc<Plans> {
        Arc::clone(&self.plans.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reload(&self) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
        Box::pin(self.reload())
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
