//! What tenants use, kept hour by hour.

use std::{
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use tenantry_core::{Hour, Meter, Mirror, UsageStore, Usages};
#[cfg(feature = "postgres")]
use tenantry_sqlx::usage::PgUsage;
use tenantry_sqlx::usage::SqliteUsage;
use tokio::sync::OnceCell;

use crate::{
    OpenError, Tenancy,
    config::{Config, Place},
};

/// How long a process that stops may take to write what it has counted.
const AT_THE_END: Duration = Duration::from_secs(5);

impl Config {
    /// Where it is kept what tenants have used, which is made when it is not there: in the file `usage.db` beside the
    /// catalog's, or in the catalog's PostgreSQL database.
    ///
    /// # Errors
    ///
    /// When it cannot be used.
    pub async fn usage_store(&self) -> Result<Arc<dyn UsageStore>, OpenError> {
        let timeout = self.catalog.busy_timeout;
        match self.usage_place() {
            Place::File(path) => Ok(Arc::new(SqliteUsage::open(path, timeout).await?)),
            #[cfg(feature = "postgres")]
            Place::Server(url) => {
                let options = crate::config::connect_options("catalog.url", &url)?;
                Ok(Arc::new(PgUsage::open(options, timeout).await?))
            }
            #[cfg(not(feature = "postgres"))]
            Place::Server(url) => {
                let source = "this build cannot go there; build with the feature postgres".into();
                Err(tenantry_core::UsageError { place: url.to_string(), source }.into())
            }
        }
    }

    /// The same, if anything was kept so far.
    ///
    /// # Errors
    ///
    /// As [`Config::usage_store`].
    pub async fn usage_store_if_there(&self) -> Result<Option<Arc<dyn UsageStore>>, OpenError> {
        match self.usage_place() {
            Place::File(path) if !path.exists() => Ok(None),
            Place::File(_) | Place::Server(_) => self.usage_store().await.map(Some),
        }
    }

    pub(crate) fn usage_place(&self) -> Place {
        match &self.catalog.place {
            Place::File(path) => Place::File(path.with_file_name("usage.db")),
            server @ Place::Server(_) => server.clone(),
        }
    }
}

impl Tenancy {
    /// Writes what this process has counted since the last time. [`Tenancy::serve`] does that every `usage.flush` and at its
    /// end; who serves otherwise calls it as often.
    ///
    /// # Errors
    ///
    /// When the store cannot be used. Then what was counted is written by a later call.
    pub async fn flush_usage(&self) -> Result<(), OpenError> {
        let Metering { meter, store } = self.metering();
        let store = store.get_or_try_init(|| self.config().usage_store()).await?;
        Ok(meter.flush(&**store, Hour::now()).await?)
    }

    /// Does that from time to time, for as long as it is polled.
    pub(crate) async fn keep_usage(&self) -> Infallible {
        let section = &self.config().usage;
        let mut expired = None;
        loop {
            tokio::time::sleep(section.flush).await;
            self.flush_usage().await.unwrap_or_else(|error| cannot_write(&error));
            if expired != Some(Hour::now()) {
                expired = Some(Hour::now());
                self.expire_usage(section.keep).await.unwrap_or_else(|error| cannot_write(&error));
            }
        }
    }

    /// Does it once more, for a process that stops.
    pub(crate) async fn keep_last_usage(&self) {
        match tokio::time::timeout(AT_THE_END, self.flush_usage()).await {
            Ok(flushed) => flushed.unwrap_or_else(|error| cannot_write(&error)),
            Err(_) => tracing::warn!("what tenants have used in the last minutes could not be written in time"),
        }
    }

    async fn expire_usage(&self, keep: Duration) -> Result<(), OpenError> {
        if let Some(store) = self.metering().store.get() {
            store.expire(Hour::now().before(keep)).await?;
        }
        Ok(())
    }
}

/// What brings counts to their store.
pub(crate) struct Metering {
    meter: Meter,
    /// Opened when there is something to write.
    store: OnceCell<Arc<dyn UsageStore>>,
}

impl Metering {
    pub(crate) fn new(usages: Arc<Usages>, mirror: Arc<Mirror>) -> Self {
        // By chance, so that no other process has the same.
        let process = RandomState::new().hash_one(std::process::id());
        let meter = Meter::new(usages, mirror, i64::from_ne_bytes(process.to_ne_bytes()));
        Self { meter, store: OnceCell::new() }
    }
}

impl std::fmt::Debug for Metering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metering").field("meter", &self.meter).finish_non_exhaustive()
    }
}

fn cannot_write(error: &OpenError) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "what tenants use cannot be written now; it is kept in memory"
    );
}
