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
    AssertSqlSafe, Sqlite, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tenantry_core::{Admission, Scope, TenantId};
use tenantry_resource::{Bounds, MakeFn, PerTenant, make_fn};
use tenantry_sql::{Limits, Name, Plan};
use tokio::sync::OnceCell;

use super::{
    connect::{Connections, Held},
    keeper::Keeper,
};
use crate::{
    owner_only,
    scoped::{Explain, Lease, Leased, Planning, Rows, ScopeError, ScopedPool, Source, Statements},
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

    pub(super) fn connect(&self, file: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(self.busy_timeout)
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
            async move { open_dedicated(&options, &scope, migrator.get()).await }
        };
        let dedicated = PerTenant::new(make_fn(open), options.bounds);
        Self { options, admission, shared: OnceCell::new(), dedicated, migrator }
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
        let connection = Held::enter(connection, keeper.triggers(), tenant);
        let statements = Statements::Scoped(Arc::clone(keeper) as Arc<dyn Planning>);
        Ok(Lease::new(scope.clone(), connection, statements))
    }

    async fn lease_dedicated(&self, scope: &Scope) -> Result<Lease<Sqlite>, sqlx::Error> {
        let pool = self.dedicated.of(scope).await.map_err(ScopeError::from)?;
        let connection = Dedicated { connection: pool.acquire().await? };
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
            match Rows::of(scope, self.admission.as_deref())? {
                Rows::Shared => self.lease_shared(scope).await,
                Rows::Dedicated => self.lease_dedicated(scope).await,
            }
        })
    }
}

impl Shared {
    async fn open(options: &SqliteOptions) -> Result<Self, sqlx::Error> {
        let connect = options.make(&options.shared)?;
        let keeper = Keeper::open(&connect, options.busy_timeout, options.limits, options.global.clone()).await?;
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
        let connections = Pool::builder(Connections { options: connect });
        let connections = connections.config(config).runtime(Runtime::Tokio1).build();
        let connections = connections.map_err(|error| sqlx::Error::Configuration(error.into()))?;
        Ok(Self { keeper, connections })
    }
}

/// A connection to a database of the tenant's own.
struct Dedicated {
    connection: PoolConnection<Sqlite>,
}

impl Leased<Sqlite> for Dedicated {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    fn begin(&mut self, _: &Plan) {}

    fn end(&mut self) {}

    fn spoil(&mut self) {}

    fn translate(&self, error: sqlx::Error) -> sqlx::Error {
        error
    }
}

async fn open_dedicated(
    options: &SqliteOptions,
    scope: &Scope,
    migrator: Option<&Migrator>,
) -> Result<SqlitePool, sqlx::Error> {
    std::fs::create_dir_all(&options.dedicated)?;
    let file = options.dedicated_file(scope.id());
    let connect = options.make(&file)?;
    let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(options.acquire_timeout);
    let pool = pool.connect_with(connect).await?;
    if let Some(migrator) = migrator {
        migrator.run(&pool).await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
    }
    Ok(pool)
}

impl fmt::Debug for Sqlites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlites").field("options", &self.options).finish_non_exhaustive()
    }
}
