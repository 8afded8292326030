//! The task that keeps a [`Mirror`] up to date with a [`Catalog`].

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tenantry_core::{Catalog, CatalogError, CatalogVersion, Change, Mirror, Tenant};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
};

use super::pulse::Pulse;

/// Loads every tenant of `catalog` into `mirror`, then keeps it up to date until the [`Follower`] is dropped.
///
/// 1. It asks for the version every [`FollowOptions::poll`], and for the changes when there are some.
/// 2. While the catalog cannot be read, the mirror stays as it is, and attempts become rarer, down to one in two
///    seconds. The log has one line at the start of an outage, and one at its end.
/// 3. When the version goes back, the catalog was replaced by another one, and everything is read anew.
///
/// [`SqliteCatalog::follow`](crate::SqliteCatalog::follow) does the same, and does not wait for the next poll after a
/// write of this process; `PgCatalog::follow` after a write of any process.
///
/// # Errors
///
/// A [`CatalogError`] when the catalog cannot be read in full now: nobody should serve tenants that they do not know.
pub async fn follow(
    catalog: Arc<dyn Catalog>,
    mirror: Arc<Mirror>,
    options: FollowOptions,
) -> Result<Follower, CatalogError> {
    start(catalog, mirror, options, None).await
}

/// [`follow`], with a pulse where the store has one.
pub(super) async fn start(
    catalog: Arc<dyn Catalog>,
    mirror: Arc<Mirror>,
    options: FollowOptions,
    pulse: Option<watch::Receiver<Pulse>>,
) -> Result<Follower, CatalogError> {
    let FollowOptions { poll, on_change } = options;
    let rounds = Rounds { catalog, mirror, on_change, pulse: pulse.clone(), cursor: Mutex::default() };
    rounds.first().await?;
    let rounds = Arc::new(rounds);
    let mut task = JoinSet::new();
    task.spawn(run(Arc::clone(&rounds), poll, pulse));
    Ok(Follower { rounds, task })
}

/// How to [`follow`] a catalog.
#[derive(Clone)]
pub struct FollowOptions {
    poll: Duration,
    on_change: Arc<dyn Fn(&Change) + Send + Sync>,
}

impl FollowOptions {
    /// How often the catalog is asked for changes, unless told otherwise. Knob `catalog.poll`.
    pub const POLL: Duration = Duration::from_millis(250);

    /// Asks for changes this often, but not more than a thousand times a second.
    #[must_use]
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval.max(POLL_MIN);
        self
    }

    /// Calls `callback` with each change after the first load, once the mirror shows it. It must not block.
    ///
    /// One change may be told twice. A panic in the callback is logged, and the mirror goes on. The dispatcher uses it to drop the instances of tenants that are no longer served.
    #[must_use]
    pub fn on_change(mut self, callback: impl Fn(&Change) + Send + Sync + 'static) -> Self {
        self.on_change = Arc::new(callback);
        self
    }
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { poll: Self::POLL, on_change: Arc::new(|_| {}) }
    }
}

impl fmt::Debug for FollowOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowOptions").field("poll", &self.poll).finish_non_exhaustive()
    }
}

/// A task that follows a catalog. It ends when this is dropped.
#[derive(Debug)]
pub struct Follower {
    rounds: Arc<Rounds>,
    task: JoinSet<()>,
}

impl Follower {
    /// Takes over what has changed until now, and returns the version that the mirror then shows.
    ///
    /// For whoever has just written and needs the mirror to show it, without a wait for the task.
    ///
    /// # Errors
    ///
    /// A [`CatalogError`] when the catalog cannot be read.
    pub async fn catch_up(&self) -> Result<CatalogVersion, CatalogError> {
        self.rounds.catch_up().await
    }

    /// The mirror that is kept up to date.
    pub fn mirror(&self) -> &Arc<Mirror> {
        &self.rounds.mirror
    }

    /// Does this as well, until it is dropped.
    #[cfg(feature = "postgres")]
    pub(super) fn along(&mut self, other: impl Future<Output = ()> + Send + 'static) {
        self.task.spawn(other);
    }

    /// Ends the task, and returns when it has ended.
    pub async fn stop(mut self) {
        self.task.shutdown().await;
    }
}

async fn run(rounds: Arc<Rounds>, poll: Duration, mut pulse: Option<watch::Receiver<Pulse>>) {
    let mut outage = None::<Duration>;
    loop {
        wait(outage.unwrap_or(poll), pulse.as_mut()).await;
        match rounds.catch_up().await {
            Ok(_) if outage.is_some() => {
                outage = None;
                tracing::info!("the catalog can be read again");
            }
            Ok(_) => {}
            Err(error) => {
                if outage.is_none() {
                    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    tracing::warn!(%error, cause, "tenants are served as they were last seen until it can be read");
                }
                outage = Some(outage.unwrap_or(poll).saturating_mul(2).min(BACKOFF_MAX));
            }
        }
    }
}

/// Until it is time to ask again, or the store tells of something.
async fn wait(interval: Duration, pulse: Option<&mut watch::Receiver<Pulse>>) {
    let told = pin!(async move {
        let alive = match pulse {
            Some(pulse) => pulse.changed().await.is_ok(),
            None => false,
        };
        if !alive {
            std::future::pending().await
        }
    });
    tokio::select! {
        () = tokio::time::sleep(interval) => {}
        () = told => {}
    }
}

/// One follower's work; rounds come one after the other.
struct Rounds {
    catalog: Arc<dyn Catalog>,
    mirror: Arc<Mirror>,
    on_change: Arc<dyn Fn(&Change) + Send + Sync>,
    pulse: Option<watch::Receiver<Pulse>>,
    cursor: Mutex<Cursor>,
}

/// How far the mirror is. The mirror's own version will not do: a tenant that changes during the load brings a later
/// one along.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    version: CatalogVersion,
    replaced: u64,
}

impl Rounds {
    async fn first(&self) -> Result<(), CatalogError> {
        self.load(&mut *self.cursor.lock().await).await?;
        self.catch_up().await.map(drop)
    }

    async fn catch_up(&self) -> Result<CatalogVersion, CatalogError> {
        let mut cursor = self.cursor.lock().await;
        loop {
            let asked = Instant::now();
            // Asking for the version makes the store look at its file, so the count of replacements is of now.
            let version = self.catalog.version().await?;
            if version < cursor.version || self.replaced() != cursor.replaced {
                tracing::info!(
                    version = version.get(),
                    "the catalog was replaced by another one, or may have been, and is read anew"
                );
                self.load(&mut cursor).await?.iter().for_each(|change| self.tell(change));
            } else if version == cursor.version {
                self.mirror.confirm(asked);
                return Ok(version);
            }
            self.drain(&mut cursor).await?;
            if self.replaced() == cursor.replaced {
                self.mirror.confirm(asked);
                return Ok(cursor.version);
            }
        }
    }

    /// Reads everything, and returns what that changed. Pages are of different moments: [`Self::drain`] has to follow,
    /// for what changed in between.
    async fn load(&self, cursor: &mut Cursor) -> Result<Vec<Change>, CatalogError> {
        let version = self.catalog.version().await?;
        let replaced = self.replaced();
        let mut tenants: Vec<Tenant> = Vec::new();
        loop {
            let page = self.catalog.page(tenants.last().map(|tenant| tenant.id), PAGE).await?;
            if page.is_empty() {
                break;
            }
            tenants.extend(page);
        }
        let changes = self.mirror.reload(tenants, version);
        *cursor = Cursor { version, replaced };
        Ok(changes)
    }

    async fn drain(&self, cursor: &mut Cursor) -> Result<(), CatalogError> {
        loop {
            let changes = self.catalog.changes(cursor.version, PAGE).await?;
            let Some(last) = changes.last().map(Change::version) else { return Ok(()) };
            for change in changes {
                self.mirror.apply(change.clone());
                self.tell(&change);
            }
            cursor.version = last;
        }
    }

    /// A callback that panics must not end the task: a suspended tenant would be served for ever.
    fn tell(&self, change: &Change) {
        if catch_unwind(AssertUnwindSafe(|| (self.on_change)(change))).is_err() {
            tracing::error!(tenant = change.id().get(), "the callback for changes of the catalog panicked");
        }
    }

    fn replaced(&self) -> u64 {
        self.pulse.as_ref().map_or(0, |pulse| pulse.borrow().replaced)
    }
}

impl fmt::Debug for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rounds").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

/// The shortest interval between two polls.
const POLL_MIN: Duration = Duration::from_millis(1);

/// The longest wait between two attempts while the catalog cannot be read.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// Tenants, or changes, that are read at once.
const PAGE: u32 = 1000;
