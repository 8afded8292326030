//! Where tenants have data, as the configuration says, and what looks after it.

use std::{convert::Infallible, sync::Arc};

use tenantry_control::{Control, archive::Portable};
use tenantry_core::{Listener, MigratableRows, MovableRows, Plane, PortableRows, UsagePlane};
use tenantry_resource::{
    Keys, MasterKeys, directory::UsersPlane, jobs::JobsPlane, settings::PortableOverrides, uploads::Uploads,
};
#[cfg(feature = "postgres")]
use tenantry_sqlx::{PgRows, portable::PgPortable};
use tenantry_sqlx::{SqliteRows, portable::SqlitePortable};
use tokio::sync::Mutex;

use crate::{
    CatalogStore, OpenError, Tenancy,
    config::{Config, JobsPlace, Place},
    keys,
};

impl Config {
    /// All places where tenants of this deployment have data. What does not exist yet is not made: nobody has anything there.
    ///
    /// # Errors
    ///
    /// When one of them cannot be used.
    pub async fn planes(&self) -> Result<Vec<Arc<dyn Plane>>, OpenError> {
        self.check()?;
        self.planes_beside(self.rows(&Listener::default()).await?.plane, Arc::new(self.files(self.master_keys()?)))
            .await
    }

    /// The same, where the rows and the files are open already.
    async fn planes_beside(
        &self,
        rows: Arc<dyn Plane>,
        files: Arc<dyn Plane>,
    ) -> Result<Vec<Arc<dyn Plane>>, OpenError> {
        let there = self.there();
        let mut planes = vec![rows, files];
        if there.users {
            planes.push(Arc::new(UsersPlane::new(self.user_store().await?)));
        }
        if there.jobs {
            planes.push(Arc::new(JobsPlane::new(crate::jobs::open(self).await?)));
        }
        if let Some(store) = self.usage_store_if_there().await? {
            planes.push(Arc::new(UsagePlane::new(store)));
        }
        #[cfg(feature = "redis")]
        if let Some(server) = crate::cache::configured_server(self)? {
            planes.push(Arc::new(tenantry_resource::redis::RedisKeys::new(server)));
        }
        Ok(planes)
    }

    /// Which of the stores are there that are made when they are first used.
    fn there(&self) -> There {
        let is_there = |place: &Place| !matches!(place, Place::File(path) if !path.exists());
        let jobs = match &self.jobs.place {
            JobsPlace::Database(place) => is_there(place),
            JobsPlace::Redis(_) => true,
        };
        There { users: is_there(&self.directory.place), usage: is_there(&self.usage_place()), jobs }
    }

    /// The rows of tenants, in the database that the configuration names.
    async fn rows(&self, listener: &Listener) -> Result<Rows, OpenError> {
        let migrations = self.migrations().await?;
        let lock_wait_max = self.migrate.lock_wait_max;
        #[cfg(feature = "postgres")]
        if let Some(options) = self.postgres_options()? {
            let rows = PgRows::new(options.clone()).lock_wait_max(lock_wait_max).with_listener(listener.clone());
            let portable = PgPortable::new(options);
            let Some(migrator) = migrations else { return Ok(Rows::of(rows, portable)) };
            return Ok(Rows::migrated(rows.migrated_by(&migrator), portable.with_migrations(&migrator)));
        }
        let rows = SqliteRows::new(self.sqlite_options()).lock_wait_max(lock_wait_max).with_listener(listener.clone());
        let portable = SqlitePortable::new(self.sqlite_options());
        Ok(match migrations {
            Some(migrator) => Rows::migrated(rows.migrated_by(&migrator), portable),
            None => Rows::of(rows, portable),
        })
    }

    /// The application's migrations, where the configuration says where they are.
    async fn migrations(&self) -> Result<Option<sqlx::migrate::Migrator>, OpenError> {
        let Some(folder) = &self.database.migrations else { return Ok(None) };
        let read = sqlx::migrate::Migrator::new(folder.as_path()).await;
        read.map(Some).map_err(|source| OpenError::Migrations { folder: folder.clone(), source })
    }

    fn files(&self, keys: MasterKeys) -> Uploads {
        Uploads::new(self.uploads.place.clone().into(), self.uploads.options(), Keys::new(keys))
    }

    /// What looks after the tenants of this catalog.
    ///
    /// # Errors
    ///
    /// As [`Config::planes`].
    pub async fn control(&self, catalog: &CatalogStore) -> Result<Control, OpenError> {
        self.control_telling(catalog, Listener::default()).await
    }

    /// The same, which tells this one how far long work is.
    ///
    /// # Errors
    ///
    /// As [`Config::planes`].
    pub async fn control_telling(&self, catalog: &CatalogStore, listener: Listener) -> Result<Control, OpenError> {
        self.control_with(catalog, self.master_keys()?, listener).await
    }

    /// The same for dry runs alone ([`Control::dry_run`]): not even master keys are made where there are none.
    ///
    /// # Errors
    ///
    /// As [`Config::planes`].
    pub async fn control_for_dry_runs(&self, catalog: &CatalogStore) -> Result<Control, OpenError> {
        self.control_with(catalog, keys::load_or_draw(&self.keys)?, Listener::default()).await
    }

    async fn control_with(
        &self,
        catalog: &CatalogStore,
        keys: MasterKeys,
        listener: Listener,
    ) -> Result<Control, OpenError> {
        self.check()?;
        let Rows { plane, movable, migratable, portable } = self.rows(&listener).await?;
        let files = Arc::new(self.files(keys.clone()).with_listener(listener.clone()));
        let planes = self.planes_beside(plane, Arc::<Uploads>::clone(&files)).await?;
        let portable =
            Portable { rows: portable, uploads: Some(files), settings: Some(Arc::new(PortableOverrides::new(keys))) };
        let control = catalog.control(self.plans()?).with_planes(planes).with_portable(portable);
        let control = control.with_settle(self.lifecycle.settle).with_lease(self.lifecycle.lease).with_movable(movable);
        let control = control.with_listener(listener);
        Ok(match migratable {
            Some(migratable) => control.with_migratable(migratable),
            None => control,
        })
    }
}

impl Tenancy {
    /// What looks after the tenants: creates, clones, resets, erases them.
    ///
    /// # Errors
    ///
    /// When a place where tenants have data cannot be used.
    pub async fn control(&self) -> Result<Control, OpenError> {
        self.config().control(self.catalog_store()).await
    }

    /// The same, but what was opened stays open, until there is more.
    pub(crate) async fn kept_control(&self) -> Result<Control, OpenError> {
        let there = self.config().there();
        let mut kept = self.kept().0.lock().await;
        if let Some((known, control)) = &*kept
            && *known == there
        {
            return Ok(control.clone());
        }
        let control = self.control().await?;
        *kept = Some((there, control.clone()));
        Ok(control)
    }

    /// Does from time to time what has to be done, for as long as it is polled.
    pub(crate) async fn sweep(&self) -> Infallible {
        let config = self.config();
        loop {
            tokio::time::sleep(config.lifecycle.sweep_every).await;
            if let Ok(control) = self.kept_control().await.inspect_err(cannot_sweep)
                && let Ok(swept) = control.sweep(&[config.lifecycle.warn_before]).await.inspect_err(cannot_sweep)
            {
                tell(&swept);
            }
        }
    }
}

/// What looks after the tenants, as it was opened last, and which stores were there.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<(There, Control)>>);

/// The rows of all tenants, as different ones need them.
struct Rows {
    plane: Arc<dyn Plane>,
    movable: Arc<dyn MovableRows>,
    /// Nothing where the migrations are not known.
    migratable: Option<Arc<dyn MigratableRows>>,
    portable: Arc<dyn PortableRows>,
}

impl Rows {
    fn of(rows: impl Plane + MovableRows, portable: impl PortableRows) -> Self {
        let rows = Arc::new(rows);
        Self {
            plane: Arc::clone(&rows) as Arc<dyn Plane>,
            movable: rows,
            migratable: None,
            portable: Arc::new(portable),
        }
    }

    fn migrated(rows: impl Plane + MovableRows + MigratableRows, portable: impl PortableRows) -> Self {
        let rows = Arc::new(rows);
        Self {
            plane: Arc::clone(&rows) as Arc<dyn Plane>,
            movable: Arc::clone(&rows) as Arc<dyn MovableRows>,
            migratable: Some(rows),
            portable: Arc::new(portable),
        }
    }
}

/// Which stores are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct There {
    users: bool,
    usage: bool,
    jobs: bool,
}

fn cannot_sweep(error: &(impl std::error::Error + 'static)) {
    tracing::warn!(error = error as &dyn std::error::Error, "tenants cannot be looked after now");
}

fn tell(swept: &tenantry_control::Swept) {
    for operation in &swept.recovered.ended {
        tracing::info!(tenant = %operation.slug, verb = operation.verb, "an operation that was abandoned is finished");
    }
    for (operation, error) in &swept.recovered.failed {
        tracing::warn!(tenant = %operation.slug, verb = operation.verb, %error, "an abandoned operation does not get on");
    }
    for ended in &swept.erased {
        tracing::info!(tenant = %ended.operation.slug, "a deleted tenant is erased");
    }
    for (tenant, error) in &swept.not_erased {
        tracing::warn!(tenant = %tenant.slug, %error, "a deleted tenant cannot be erased now");
    }
    for warned in &swept.warned {
        tracing::warn!(tenant = %warned.tenant.slug, "the tenant's time is up within {:?}", warned.before);
    }
}
