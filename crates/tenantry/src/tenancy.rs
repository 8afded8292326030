//! The parts, put together as the configuration says.

use std::{
    num::NonZeroU32,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    task::Poll,
    time::Duration,
};

use axum::Router;
use sqlx::Sqlite;
use tenantry_core::{Admission, Catalog, Change, Mirror, Scope, Status, Usages};
use tenantry_resource::{Bounds, BoxError, Keys, MasterKeys, PerTenant, jobs::Jobs, uploads::Uploads};
use tenantry_sql::Name;
use tenantry_sqlx::{FollowOptions, Follower, OpenOptions, ScopedPool, SqliteOptions};
#[cfg(feature = "postgres")]
use tenantry_sqlx::{Ids, PostgresOptions};
use tenantry_tower::{
    AdmitLayer, App, Dispatch, HtmlRewriting, LimitLayer, MakeApp, MountLayer, ResolveLayer, SealLayer, TrustedProxies,
};
use tokio::sync::OnceCell;

use crate::{
    CatalogStore, Front, OpenError,
    cache::Caches,
    config::{Config, InstancesSection},
    directory::Directories,
    entrance::Door,
    front::Layers,
    keys,
    planes::Kept,
    resolver,
    unscoped::UnscopedLog,
    usage::Metering,
};

#[cfg(feature = "postgres")]
use crate::config::{ConfigError, IdsOf, connect_options};

/// A deployment: its tenants, its plans, its keys, and the way from a request to an application.
///
/// Cloning is cheap, and clones are the same deployment.
#[derive(Clone, Debug)]
pub struct Tenancy {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    catalog: CatalogStore,
    admission: Arc<Admission>,
    follower: Follower,
    layers: Layers,
    keys: Keys,
    uploads: Uploads,
    caches: Caches,
    directories: Arc<Directories>,
    dispatched: Arc<Dispatched>,
    metering: Metering,
    unscoped: UnscopedLog,
    jobs: OnceCell<Jobs>,
    kept: Kept,
    master: MasterKeys,
    proxies: TrustedProxies,
    sqlite: ScopedPool<Sqlite>,
    #[cfg(feature = "postgres")]
    postgres: ScopedPool<sqlx::Postgres>,
}

impl Tenancy {
    /// Opens the deployment that the file at `path` describes; see `docs/tenantry.toml`.
    ///
    /// The catalog and the master key are created when they are missing. Without a file, start with
    /// [`Tenancy::with`] and [`Config::default`].
    ///
    /// # Errors
    ///
    /// [`OpenError`] says which part cannot be used, and why.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::with(Config::load(path)?).await
    }

    /// Opens the deployment that `config` describes.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says which part cannot be used, and why.
    pub async fn with(config: Config) -> Result<Self, OpenError> {
        config.check()?;
        let catalog = CatalogStore::open(&config.catalog, OpenOptions::create_if_missing()).await?;
        let dispatched = Arc::new(Dispatched::default());
        let usages = Arc::new(Usages::new(usize::try_from(config.metrics.tenants_max.get()).unwrap_or(usize::MAX)));
        let caches = Caches::from_config(&config)?;
        let directories = Arc::new(Directories::default());
        let told = (Arc::clone(&dispatched), Arc::clone(&usages), caches.clone(), Arc::clone(&directories));
        let follow = FollowOptions::default().poll(config.catalog.poll).on_change(move |change| {
            told.0.follow(change);
            told.2.follow(change);
            told.3.follow(change);
            if let Change::Removed { id, .. } = change {
                told.1.forget(*id);
            }
        });
        let follower = catalog.follow(Arc::new(Mirror::new()), follow).await?;
        let metering = Metering::new(Arc::clone(&usages), Arc::clone(follower.mirror()));
        let admission = Admission::new(Arc::clone(follower.mirror()), config.plans()?).counting(usages);
        let admission = Arc::new(admission);
        let master = keys::load(&config.keys)?;
        let proxies = TrustedProxies::new(config.proxies.trusted.iter().copied());
        let layers = layers(&config, &catalog, Arc::clone(&admission), &master, proxies.clone())?;
        let sqlite = ScopedPool::sqlite(config.sqlite_options(), Some(Arc::clone(&admission)));
        #[cfg(feature = "postgres")]
        let postgres = match config.postgres_options()? {
            Some(options) => ScopedPool::postgres(options, Some(Arc::clone(&admission))),
            None => ScopedPool::unconfigured("write database.url and database.application_url"),
        };
        let keys = Keys::new(master.clone());
        let uploads = Uploads::new(config.uploads.place.clone().into(), config.uploads.options(), keys.clone());
        let unscoped = UnscopedLog::begin(catalog.clone(), Arc::clone(follower.mirror()), &config.audit);
        let shared = Shared {
            config,
            catalog,
            admission,
            follower,
            layers,
            uploads,
            keys,
            caches,
            directories,
            dispatched,
            metering,
            unscoped,
            jobs: OnceCell::new(),
            kept: Kept::default(),
            master,
            proxies,
            sqlite,
            #[cfg(feature = "postgres")]
            postgres,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// One application per tenant, built by `factory` when the tenant is first asked for (approach 1).
    ///
    /// `factory` answers with a `Router`, or with an [`App`] that wants to be told when it is closed. What it fails
    /// with is logged, and the tenant's clients get a 503 until a later try succeeds.
    pub fn dispatch<F, Fut, A, E>(&self, factory: F) -> Front<Dispatch>
    where
        F: Fn(Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<A, E>> + Send + 'static,
        A: Into<App>,
        E: Into<BoxError>,
    {
        let apps = PerTenant::new(MakeApp::new(factory), bounds(&self.shared.config.instances));
        self.shared.dispatched.add(apps.clone());
        Front::new(&self.shared.layers, Dispatch::new(apps))
    }

    /// One application for all tenants, which runs within the scope of each request's tenant (approach 2).
    pub fn wrap(&self, router: Router) -> Front<Router> {
        Front::new(&self.shared.layers, router)
    }

    /// The databases of all tenants: a pool whose statements run for the tenant whose scope is current (approach 2).
    ///
    /// It takes the place of a `SqlitePool`. Nothing is opened before the first statement. Every call gives the same
    /// pool.
    pub fn sqlite(&self) -> ScopedPool<Sqlite> {
        self.shared.sqlite.clone()
    }

    /// The same on PostgreSQL, as `database.url` and `database.application_url` say. It takes the place of a `PgPool`.
    #[cfg(feature = "postgres")]
    pub fn postgres(&self) -> ScopedPool<sqlx::Postgres> {
        self.shared.postgres.clone()
    }

    /// The keys of the tenant whose scope is current, for what the application signs: sessions, bearer tokens, links.
    pub fn keys(&self) -> Keys {
        self.shared.keys.clone()
    }

    pub(crate) fn uploads_handle(&self) -> &Uploads {
        &self.shared.uploads
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.shared.kept
    }

    pub(crate) fn master(&self) -> &MasterKeys {
        &self.shared.master
    }

    pub(crate) fn proxies(&self) -> &TrustedProxies {
        &self.shared.proxies
    }

    pub(crate) fn jobs_cell(&self) -> &OnceCell<Jobs> {
        &self.shared.jobs
    }

    pub(crate) fn catalog_store(&self) -> &CatalogStore {
        &self.shared.catalog
    }

    pub(crate) fn shared_admission(&self) -> Arc<Admission> {
        Arc::clone(&self.shared.admission)
    }

    pub(crate) fn shared_catalog(&self) -> Arc<dyn Catalog> {
        self.shared.catalog.shared()
    }

    pub(crate) fn caches(&self) -> &Caches {
        &self.shared.caches
    }

    pub(crate) fn directories(&self) -> &Directories {
        &self.shared.directories
    }

    pub(crate) fn metering(&self) -> &Metering {
        &self.shared.metering
    }

    pub(crate) fn unscoped(&self) -> &UnscopedLog {
        &self.shared.unscoped
    }

    pub(crate) fn mirror(&self) -> &Arc<Mirror> {
        self.shared.follower.mirror()
    }

    /// The registry of tenants.
    pub fn catalog(&self) -> &dyn Catalog {
        &*self.shared.catalog
    }

    /// Admission, for work that does not come in through the front: a job, a command.
    pub fn admission(&self) -> &Admission {
        &self.shared.admission
    }

    /// Makes the tenants as the catalog has them now known to this process, without a wait for the next poll.
    ///
    /// # Errors
    ///
    /// [`OpenError::Catalog`] when the catalog cannot be read.
    pub async fn refresh(&self) -> Result<(), OpenError> {
        self.shared.follower.catch_up().await?;
        Ok(())
    }

    /// Closes every application: those in use when their last answer is sent, but at the latest after
    /// `instances.drain_timeout`. Says whether all were closed in time.
    ///
    /// Call it when the server has stopped; [`Tenancy::serve`] does. At the end it writes to the audit log what work was begun
    /// without a scope, for which it takes at most five seconds more.
    pub async fn shut_down(&self) -> bool {
        let closed = tokio::time::timeout(self.drain_timeout(), self.close_all()).await.is_ok();
        self.flush_last_unscoped().await;
        closed
    }

    pub(crate) async fn close_all(&self) {
        self.shared.dispatched.shut_down().await;
    }

    pub(crate) fn drain_timeout(&self) -> Duration {
        self.shared.config.instances.drain_timeout
    }
}

/// The applications that were built for tenants, by whichever front.
#[derive(Debug, Default)]
struct Dispatched(RwLock<Vec<PerTenant<MakeApp>>>);

impl Dispatched {
    fn add(&self, apps: PerTenant<MakeApp>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(apps);
    }

    fn all(&self) -> Vec<PerTenant<MakeApp>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Drops what was built for a record of the tenant that is no longer true; all of it when the tenant is not served.
    fn follow(&self, change: &Change) {
        for apps in self.all() {
            match change {
                Change::Upserted(tenant) if tenant.status == Status::Active => {
                    apps.evict_before(tenant.id, tenant.revision);
                }
                Change::Upserted(_) | Change::Removed { .. } => apps.evict(change.id()),
            }
        }
    }

    /// Refuses newcomers at all of them before it waits for any.
    async fn shut_down(&self) {
        let mut closing: Vec<_> =
            self.all().into_iter().map(|apps| Box::pin(async move { apps.shut_down().await })).collect();
        std::future::poll_fn(|cx| {
            closing.retain_mut(|apps| apps.as_mut().poll(cx).is_pending());
            if closing.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn layers(
    config: &Config,
    catalog: &CatalogStore,
    admission: Arc<Admission>,
    keys: &MasterKeys,
    trusted: TrustedProxies,
) -> Result<Layers, OpenError> {
    let seal = config.cookies.seal.then(|| seal(config, keys.clone()));
    let rewriting = match config.html.rewrite {
        true => HtmlRewriting::On,
        false => HtmlRewriting::Off,
    };
    let page_bytes_max = config.html.memory_max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
    Ok(Layers {
        resolve: ResolveLayer::new(resolver::from_config(&config.resolve, &trusted)?),
        admit: AdmitLayer::new(admission),
        limit: LimitLayer::new(),
        door: Door::new(config, Keys::new(keys.clone()), catalog.once(), trusted.clone()),
        mount: MountLayer::new().trusted_proxies(trusted).rewrite_html(rewriting).html_memory_max(page_bytes_max),
        seal,
    })
}

fn seal(config: &Config, keys: MasterKeys) -> SealLayer {
    let cookies_max = usize::try_from(config.cookies.cookies_max).unwrap_or(usize::MAX);
    SealLayer::new(keys).unsealed(config.cookies.unsealed.iter().cloned()).cookies_max(cookies_max)
}

impl Config {
    /// Where the tenants' rows are on SQLite, and how much of what is used for them.
    pub fn sqlite_options(&self) -> SqliteOptions {
        sqlite_options(self)
    }
}

#[cfg(feature = "postgres")]
impl Config {
    /// What the configuration says of the tenants' databases on PostgreSQL; nothing when it names none.
    ///
    /// # Errors
    ///
    /// When a URL cannot be used to connect.
    pub fn postgres_options(&self) -> Result<Option<PostgresOptions>, ConfigError> {
        let section = &self.database;
        let (Some(owner), Some(application)) = (&section.url, &section.application_url) else { return Ok(None) };
        let application = connect_options("database.application_url", application)?;
        let mut postgres = PostgresOptions::new(application, connect_options("database.url", owner)?);
        let same = sqlite_options(self);
        postgres.global = same.global.iter().map(|name| Name::exact(name.as_str())).collect();
        postgres.connections_max = same.connections_max;
        postgres.waiters_max = usize::try_from(section.waiters_max.get()).unwrap_or(usize::MAX);
        postgres.acquire_timeout = same.acquire_timeout;
        postgres.move_wait_max = same.move_wait_max;
        // What is being asked has to be over as well when a move cleans up.
        postgres.silence_max = self.lifecycle.settle / 2;
        postgres.idle_timeout = section.idle_timeout;
        postgres.walls_check = section.walls_check;
        postgres.limits = same.limits;
        postgres.bounds = same.bounds;
        postgres.numbering = section.numbering.iter().map(|(table, ids)| (table.clone(), ids_of(*ids))).collect();
        Ok(Some(postgres))
    }
}

#[cfg(feature = "postgres")]
fn ids_of(ids: IdsOf) -> Ids {
    match ids {
        IdsOf::Shared => Ids::Shared,
        IdsOf::PerTenant => Ids::PerTenant,
        IdsOf::Gapless => Ids::Gapless,
    }
}

fn sqlite_options(config: &Config) -> SqliteOptions {
    let section = &config.database;
    let count = |number: NonZeroU32| usize::try_from(number.get()).unwrap_or(usize::MAX);
    let mut options = SqliteOptions::new(&section.shared, &section.dedicated);
    options.global = section.global.iter().map(|name| Name::from(name.as_str())).collect();
    options.connections_max = count(section.connections_max);
    options.acquire_timeout = section.acquire_timeout;
    options.move_wait_max = section.move_wait_max;
    options.busy_timeout = section.busy_timeout;
    options.poll = config.catalog.poll;
    options.limits.statement_bytes_max = usize::try_from(section.statement_bytes_max).unwrap_or(usize::MAX);
    options.limits.nesting_max = count(section.nesting_max);
    options.limits.view_depth_max = count(section.view_depth_max);
    options.limits.plan_bytes_max = section.plan_bytes_max;
    options.bounds = bounds(&config.instances);
    options
}

fn bounds(section: &InstancesSection) -> Bounds {
    let count = |number: NonZeroU32| usize::try_from(number.get()).unwrap_or(usize::MAX);
    let mut bounds = Bounds::default();
    bounds.live_max = count(section.live_max);
    bounds.idle = section.idle;
    bounds.build_timeout = section.build_timeout;
    bounds.waiters_max = count(section.waiters_max);
    bounds.backoff_min = section.backoff_min;
    bounds.backoff_max = section.backoff_max;
    bounds
}
