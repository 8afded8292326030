//! The keeper of a shared database's schema.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex as SyncMutex, PoisonError, RwLock, Weak},
    time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, sqlite::SqliteConnectOptions};
use tenantry_sql::{Limits, Name, Numbering, Plans, Rewriter, SchemaMap};

use super::{
    owner::{Owner, Taken},
    store,
    template::Object,
};
use crate::{native::Names, scoped::Planning};

/// Knows the schema, and changes it.
pub(super) struct Keeper {
    owner: Owner,
    limits: Limits,
    pub(super) global: Vec<Name>,
    plans: RwLock<Arc<Plans>>,
    /// The application's triggers, which were judged when they were created.
    triggers: RwLock<Arc<Names>>,
    /// Tenants that are known to have their rows.
    pub(super) provisioned: SyncMutex<HashSet<i64>>,
}

impl Keeper {
    /// Opens the shared database, and makes what is missing of Tenantry's own tables.
    pub(super) async fn open(
        options: &SqliteConnectOptions,
        busy_timeout: Duration,
        limits: Limits,
        global: Vec<Name>,
    ) -> Result<Arc<Self>, sqlx::Error> {
        let place = Owner::new(options.clone(), busy_timeout);
        let mut owner = place.take().await?;
        match store::layout(&mut owner).await? {
            Some(layout) if layout > store::layout_known() => {
                let text = format!(
                    "the shared database has layout {layout}, which a later version of Tenantry made; use that version"
                );
                return Err(sqlx::Error::Configuration(text.into()));
            }
            Some(_) if store::is_complete(&mut owner).await? => {}
            _ => {
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *owner).await?;
                store::create(&mut owner).await?;
                sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
            }
        }
        owner.put_back();
        let plans = RwLock::new(Arc::new(Plans::new(rewriter(Arc::default(), limits))));
        let keeper = Self {
            owner: place,
            limits,
            global,
            plans,
            triggers: RwLock::default(),
            provisioned: SyncMutex::default(),
        };
        keeper.reload().await?;
        Ok(Arc::new(keeper))
    }

    /// Looks for changes that other processes made, for as long as somebody uses the keeper.
    pub(super) fn watch(self: &Arc<Self>, every: Duration) {
        let keeper = Arc::downgrade(self);
        #[expect(clippy::disallowed_methods, reason = "the schema is that of all tenants")]
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(keeper) = Weak::upgrade(&keeper) else { return };
                keeper.look_again().await;
            }
        });
    }

    /// The connection that owns the schema.
    pub(super) async fn owner(&self) -> Result<Taken<'_>, sqlx::Error> {
        self.owner.take().await
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Plans for the schema as it is now.
    pub(super) fn current(&self) -> Arc<Plans> {
        Arc::clone(&self.plans.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the schema if it has another version than the plans. Says whether it has.
    pub(super) async fn reload(&self) -> Result<bool, sqlx::Error> {
        let mut owner = self.owner().await?;
        let reloaded = self.reload_with(&mut owner).await?;
        owner.put_back();
        Ok(reloaded)
    }

    /// The same on a connection that is at hand, whose transaction keeps the schema as it is from then on.
    pub(super) async fn reload_with(&self, owner: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let version = store::version(owner).await?;
        let known = i64::try_from(self.current().schema().version()).unwrap_or(i64::MAX);
        if version == known && version != 0 {
            return Ok(false);
        }
        let (objects, numbered) = (store::objects(owner).await?, store::numbered(owner).await?);
        let schema = super::migrate::schema(&objects, &numbered, self, version)?;
        self.put(schema, &objects);
        Ok(true)
    }

    /// Uses another schema from now on.
    pub(super) fn put(&self, schema: SchemaMap, objects: &[Object]) {
        let plans = Arc::new(Plans::new(rewriter(Arc::new(schema), self.limits)));
        let triggers = objects.iter().filter(|object| object.kind == "trigger").map(|object| &object.name).collect();
        *self.plans.write().unwrap_or_else(PoisonError::into_inner) = plans;
        *self.triggers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(triggers);
    }

    /// The application's triggers.
    pub(super) fn triggers(&self) -> Arc<Names> {
        Arc::clone(&self.triggers.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Planning for Keeper {
    fn plans(&self) -> Arc<Plans> {
        self.current()
    }

    fn reload(&self) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
        Box::pin(self.reload())
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("plans", &self.current()).finish_non_exhaustive()
    }
}

fn rewriter(schema: Arc<SchemaMap>, limits: Limits) -> Rewriter {
    Rewriter::new(schema, limits).numbering(Numbering::Sqlx)
}
