//! Leases on SQLite: of the shared database, and of the databases that tenants have of their own.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use deadpool::{
    Runtime,
    managed::{Pool, PoolConfig, PoolError, Timeouts},
};
use futures_util::future::BoxFuture;
use sqlx::{
    AssertSqlSafe, Sqlite, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use tenantry_core::{Admission, Scope, TenantId};
use tenantry_resource::{Bounds, MakeFn, PerTenant, make_fn};
use tenantry_sql::{Limits, Name, Plan};
use tokio::sync::OnceCell;

use super::{
    clock::Clock,
    connect::{Connections, Held},
    dedicated::{self, Dedicated},
    keeper::Keeper,
};
use crate::{
    owner_only,
    room::Rooms,
    scoped::{Explain, Lease, Planning, Rows, ScopeError, ScopedPool, Source, Statements},
};

/// Where tenants' rows are on SQLite, and how much of what is used for them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The file with the tables that tenants share.
    pub shared: PathBuf,
    /// The folder with a file for each tenant that has a database of its own.
    pub dedicated: PathBuf,
    /// Tables that all tenants read and none may change.
    pub global: Vec<Name>,
    /// Connections to the shared database, for all tenants together; 10 by default.
    pub connections_max: usize,
    /// How long a statement waits for one of them; 10 seconds by default.
    pub acquire_timeout: Duration,
    /// How long a statement that changes rows waits while these are on their way to another place.
    pub move_wait_max: Duration,
    /// How long a statement waits for a lock that another connection holds; 5 seconds by default.
    pub busy_timeout: Duration,
    /// How often it is looked whether another process has changed the schema; 250 milliseconds by default.
    pub poll: Duration,
    /// Bounds on statements.
    pub limits: Limits,
    /// Bounds on the databases that tenants have of their own.
    pub bounds: Bounds,
}

impl SqliteOptions {
    /// With these files, and the default for everything else.
    pub fn new(shared: impl Into<PathBuf>, dedicated: impl Into<PathBuf>) -> Self {
        Self {
            shared: shared.into(),
            dedicated: dedicated.into(),
            global: Vec::new(),
            connections_max: 10,
            acquire_timeout: Duration::from_secs(10),
            move_wait_max: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(5),
            poll: Duration::from_millis(250),
            limits: Limits::default(),
            bounds: Bounds::default(),
        }
    }

    /// How to open a file, which is made if there is none.
    pub(super) fn make(&self, file: &Path) -> Result<SqliteConnectOptions, sqlx::Error> {
        let failed = |error| sqlx::Error::Configuration(format!("{} cannot be made: {error}", file.display()).into());
        owner_only::create(file).map_err(failed)?;
        Ok(self.connect(file))
    }

    /// The keeper of the shared database, which is opened, and made if need be.
    pub(super) async fn keeper(&self) -> Result<Arc<Keeper>, sqlx::Error> {
        let shared = self.make(&self.shared)?;
        Keeper::open(&shared, self.busy_timeout, self.limits, self.global.clone()).await
    }

    /// How to open a file that is there. If SQLite made it, others could read it as well.
    pub(super) fn connect(&self, file: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(self.busy_timeout)
    }

    /// How to open a file that is there, and look at it without changing anything of it.
    pub(super) fn look(&self, file: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new().filename(file).create_if_missing(false).busy_timeout(self.busy_timeout)
    }

    /// The database of a tenant that has one of its own. By its number: the name may change.
    pub(super) fn dedicated_file(&self, tenant: TenantId) -> PathBuf {
        self.dedicated.join(format!("{tenant}.db"))
    }
}

/// The databases of all tenants. Nothing is opened before it is needed.
pub(crate) struct Sqlites {
    options: SqliteOptions,
    /// Asked again for each lease: a tenant may have been suspended since its scope was made.
    admission: Option<Arc<Admission>>,
    shared: OnceCell<Shared>,
    /// What is known of how many rows each tenant has there.
    rooms: Arc<Rooms>,
    dedicated: PerTenant<MakeFn<SqlitePool>>,
    /// What the databases of tenants' own are migrated with when they are opened.
    migrator: Arc<OnceLock<Migrator>>,
}

/// The shared database.
pub(super) struct Shared {
    pub(super) keeper: Arc<Keeper>,
    connections: Pool<Connections>,
}

impl ScopedPool<Sqlite> {
    /// A pool over the databases that `options` describe. They are opened when they are first used.
    ///
    /// With `admission`, a tenant that has been suspended since gets no connection any more.
    pub fn sqlite(options: SqliteOptions, admission: Option<Arc<Admission>>) -> Self {
        Self::new(Sqlites::new(options, admission))
    }
}

impl Sqlites {
    fn new(options: SqliteOptions, admission: Option<Arc<Admission>>) -> Self {
        let migrator: Arc<OnceLock<Migrator>> = Arc::default();
        let (opening, migrating) = (options.clone(), Arc::clone(&migrator));
        let open = move |scope: Scope| {
            let (options, migrator) = (opening.clone(), Arc::clone(&migrating));
            async move { dedicated::open(&options, &scope, migrator.get()).await }
        };
        let dedicated = PerTenant::new(make_fn(open), options.bounds);
        Self { options, admission, shared: OnceCell::new(), rooms: Arc::default(), dedicated, migrator }
    }

    /// The shared database, opened if it is not.
    pub(super) async fn shared(&self) -> Result<&Shared, sqlx::Error> {
        self.shared.get_or_try_init(|| Shared::open(&self.options)).await
    }

    async fn lease_shared(&self, scope: &Scope) -> Result<Lease<Sqlite>, sqlx::Error> {
        let Shared { keeper, connections } = self.shared().await?;
        let tenant = scope.id().get();
        keeper.provision(scope).await?;
        let connection = connections.get().await.map_err(|error| self.unavailable(error))?;
        let connection = Held::enter(connection, keeper, tenant);
        let statements = Statements::Scoped(Arc::clone(keeper) as Arc<dyn Planning>);
        Ok(Lease::new(scope.clone(), connection, statements).within(&self.rooms))
    }

    async fn lease_dedicated(&self, scope: &Scope) -> Result<Lease<Sqlite>, sqlx::Error> {
        let pool = self.dedicated.of(scope).await.map_err(ScopeError::from)?;
        let mut connection = pool.acquire().await?;
        let clock = match scope.limits().statement_time_max {
            Some(_) => Some(Clock::of(&mut connection).await?),
            None => None,
        };
        let connection = Dedicated::new(connection, clock);
        Ok(Lease::new(scope.clone(), connection, Statements::AsWritten))
    }

    fn unavailable(&self, error: PoolError<sqlx::Error>) -> sqlx::Error {
        match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => sqlx::Error::PoolClosed,
            PoolError::Timeout(_) => {
                let (max, waited) = (self.options.connections_max, self.options.acquire_timeout);
                tracing::warn!(connections_max = max, acquire_timeout = ?waited, "no connection to the shared database became free");
                sqlx::Error::PoolTimedOut
            }
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => sqlx::Error::WorkerCrashed,
        }
    }

    pub(super) fn migrator(&self) -> &OnceLock<Migrator> {
        &self.migrator
    }
}

impl Source<Sqlite> for Sqlites {
    fn move_wait_max(&self) -> Duration {
        self.options.move_wait_max
    }

    fn planning(&self) -> BoxFuture<'_, Result<Arc<dyn Planning>, sqlx::Error>> {
        Box::pin(async move { Ok(Arc::clone(&self.shared().await?.keeper) as Arc<dyn Planning>) })
    }

    fn explain<'a>(&'a self, plan: &'a Plan, what: Explain) -> BoxFuture<'a, Result<Vec<SqliteRow>, sqlx::Error>> {
        Box::pin(async move {
            let word = match what {
                Explain::Plan => "EXPLAIN QUERY PLAN",
                Explain::Program => "EXPLAIN",
            };
            let mut owner = self.shared().await?.keeper.owner().await?;
            let explained =
                sqlx::raw_sql(AssertSqlSafe(format!("{word} {}", plan.text))).fetch_all(&mut *owner).await?;
            owner.put_back();
            Ok(explained)
        })
    }

    fn migrate<'a>(&'a self, migrator: &'a Migrator) -> BoxFuture<'a, Result<(), MigrateError>> {
        Box::pin(self.migrate_all(migrator))
    }

    fn lease<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Lease<Sqlite>, sqlx::Error>> {
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

impl Shared {
    async fn open(options: &SqliteOptions) -> Result<Self, sqlx::Error> {
        let keeper = options.keeper().await?;
        keeper.watch(options.poll);
        let config = PoolConfig {
            max_size: options.connections_max,
            timeouts: Timeouts {
                wait: Some(options.acquire_timeout),
                create: Some(options.acquire_timeout),
                recycle: Some(options.acquire_timeout),
            },
            ..PoolConfig::default()
        };
        let connections = Pool::builder(Connections { options: options.connect(&options.shared) });
        let connections = connections.config(config).runtime(Runtime::Tokio1).build();
        let connections = connections.map_err(|error| sqlx::Error::Configuration(error.into()))?;
        Ok(Self { keeper, connections })
    }
}

impl fmt::Debug for Sqlites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlites").field("options", &self.options).finish_non_exhaustive()
    }
}
