//! A deployment with two tenants.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tenantry_core::{Admission, Catalog, Limits, Mirror, NewTenant, Plan, Plans, Scope, Slug, Status, Tenant};
use tenantry_resource::MasterKeys;
use tenantry_sqlx::{FollowOptions, Follower, OpenOptions, SqliteCatalog};

/// A deployment with the tenants `acme` and `globex`, which a suite changes as an administrator would.
#[derive(Debug)]
pub struct World {
    catalog: Arc<SqliteCatalog>,
    follower: Follower,
    admission: Arc<Admission>,
    keys: MasterKeys,
    folder: PathBuf,
    /// Only the one who has made it removes it.
    _temporary: Option<TempDir>,
}

impl World {
    /// Both tenants on the plan `default`, without limits.
    pub async fn new() -> Self {
        Self::on(Plan::new("default".parse().unwrap(), Limits::NONE)).await
    }

    /// Both tenants on this plan, which has to be called `default`.
    pub async fn on(plan: Plan) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut world = Self::open(temporary.path(), plan).await;
        world._temporary = Some(temporary);
        for name in ["acme", "globex"] {
            world.create(name).await;
        }
        world
    }

    /// The same world, as another process sees it.
    pub async fn elsewhere(folder: &Path) -> Self {
        Self::open(folder, Plan::new("default".parse().unwrap(), Limits::NONE)).await
    }

    async fn open(folder: &Path, plan: Plan) -> Self {
        let path = folder.join("tenantry.db");
        let catalog = Arc::new(SqliteCatalog::open(path, OpenOptions::create_if_missing()).await.unwrap());
        let follow = FollowOptions::default().poll(Duration::from_millis(20));
        let follower = catalog.follow(Arc::new(Mirror::new()), follow).await.unwrap();
        let admission = Arc::new(Admission::new(Arc::clone(follower.mirror()), Plans::from_iter([plan])));
        let keys = MasterKeys::load_or_create(folder.join("tenantry.key")).unwrap();
        Self { catalog, follower, admission, keys, folder: folder.to_owned(), _temporary: None }
    }

    /// The scope of a tenant.
    pub fn scope(&self, name: &str) -> Scope {
        let slug: Slug = name.parse().unwrap();
        let tenant = self.admission.mirror().by_slug(&slug).expect("there is such a tenant");
        self.admission.admit_id(tenant.id).expect("it is served")
    }

    /// A new tenant, which this process knows.
    pub async fn create(&self, name: &str) -> Tenant {
        let tenant = self.create_elsewhere(name).await;
        self.follower.catch_up().await.unwrap();
        tenant
    }

    /// A new tenant, which this process may not have heard of yet.
    pub async fn create_elsewhere(&self, name: &str) -> Tenant {
        self.catalog.create(NewTenant::new(name.parse().unwrap())).await.unwrap()
    }

    /// Gives a tenant another status.
    pub async fn set_status(&self, name: &str, status: Status) {
        let tenant = self.catalog.by_slug(&name.parse().unwrap()).await.unwrap().expect("there is such a tenant");
        self.catalog.set_status(tenant.id, status).await.unwrap();
        self.follower.catch_up().await.unwrap();
    }

    /// Removes a tenant.
    pub async fn remove(&self, name: &str) {
        let tenant = self.catalog.by_slug(&name.parse().unwrap()).await.unwrap().expect("there is such a tenant");
        self.catalog.remove(tenant.id).await.unwrap();
        self.follower.catch_up().await.unwrap();
    }

    /// Lets this process know what others have changed.
    pub async fn catch_up(&self) {
        self.follower.catch_up().await.unwrap();
    }

    /// The catalog.
    pub fn catalog(&self) -> Arc<dyn Catalog> {
        Arc::<SqliteCatalog>::clone(&self.catalog)
    }

    /// Admission.
    pub const fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// The master keys.
    pub const fn keys(&self) -> &MasterKeys {
        &self.keys
    }

    /// A folder for files, which ends with the world.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
