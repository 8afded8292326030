//! Jobs that run later, each for its tenant.

use std::sync::Arc;

pub use apalis_core as apalis;
#[cfg(feature = "redis")]
pub use tenantry_resource::jobs::RedisJobs;
pub use tenantry_resource::jobs::{
    Broker, BrokerError, Counts, DeadJob, Delivery, JobError, JobOptions, JobQueue, Jobs, Schedule, ScheduleError,
    Scheduled,
};
#[cfg(feature = "postgres")]
pub use tenantry_sqlx::jobs::PgJobs;
pub use tenantry_sqlx::jobs::SqliteJobs;

use crate::{
    OpenError, Tenancy,
    config::{Config, JobsPlace, JobsSection, Place},
};

impl Tenancy {
    /// The jobs of all tenants, as `[jobs]` says. Every call gives the same; the store is opened by the first.
    ///
    /// A queue takes the place of a storage of apalis: the application pushes jobs to it in the scope of a request, and its
    /// workers run each in the scope of its tenant.
    ///
    /// ```no_run
    /// # async fn example(tenancy: tenantry::Tenancy) -> Result<(), Box<dyn std::error::Error>> {
    /// use serde::{Deserialize, Serialize};
    /// use tenantry::jobs::apalis::worker::builder::WorkerBuilder;
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Digest {
    ///     to: String,
    /// }
    ///
    /// async fn send(digest: Digest) -> Result<(), std::io::Error> {
    ///     // Whatever is done in here is done for the tenant whose digest it is.
    ///     Ok(())
    /// }
    ///
    /// let digests = tenancy.jobs().await?.queue::<Digest>("digests");
    /// let worker = WorkerBuilder::new("digests").backend(digests.clone()).build(send);
    /// worker.run_until(async { tokio::signal::ctrl_c().await }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the store or the master keys cannot be used.
    pub async fn jobs(&self) -> Result<Jobs, OpenError> {
        let opened = self.jobs_cell().get_or_try_init(async || {
            let broker = open(self.config()).await?;
            let keys = self.config().master_keys()?;
            let options = self.config().jobs.options;
            Ok::<_, OpenError>(Jobs::new(broker, self.shared_admission(), self.shared_catalog(), keys, options))
        });
        opened.await.cloned()
    }
}

pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Broker>, OpenError> {
    // Checked before; said again for a configuration that was put together in code.
    config.check()?;
    let JobsSection { place, busy_timeout, .. } = &config.jobs;
    match place {
        JobsPlace::Database(Place::File(path)) => Ok(Arc::new(SqliteJobs::open(path, *busy_timeout).await?)),
        #[cfg(feature = "postgres")]
        JobsPlace::Database(Place::Server(url)) => {
            Ok(Arc::new(PgJobs::open(crate::config::connect_options("jobs.url", url)?, *busy_timeout).await?))
        }
        #[cfg(feature = "redis")]
        JobsPlace::Redis(url) => Ok(Arc::new(RedisJobs::open(redis_server(&config.jobs, url)?).await?)),
        #[cfg(not(feature = "postgres"))]
        JobsPlace::Database(Place::Server(_)) => Err(missing("postgres")),
        #[cfg(not(feature = "redis"))]
        JobsPlace::Redis(_) => Err(missing("redis")),
    }
}

/// A connection of its own, since what is fast enough for a cache may not be for jobs, and the other way round.
#[cfg(feature = "redis")]
fn redis_server(
    section: &JobsSection,
    url: &crate::config::ServerUrl,
) -> Result<tenantry_resource::redis::RedisServer, crate::config::ConfigError> {
    let mut options = tenantry_resource::redis::RedisOptions::default();
    options.connect_timeout = section.busy_timeout;
    options.response_timeout = section.busy_timeout;
    // Workers that find nothing ask as often.
    options.retry_after = section.options.poll;
    crate::cache::redis_server("jobs", url, &section.prefix, options)
}

#[cfg(not(all(feature = "postgres", feature = "redis")))]
fn missing(feature: &str) -> OpenError {
    let source = format!("this build cannot go there; build with the feature {feature}").into();
    OpenError::Jobs(BrokerError { place: "on a server".to_owned(), source })
}
