//! Jobs that run later, each for its tenant.

use std::sync::Arc;

pub use apalis_core as apalis;
pub use tenantry_resource::jobs::{
    Broker, BrokerError, Counts, DeadJob, Delivery, JobError, JobOptions, JobQueue, Jobs, Schedule, ScheduleError,
    Scheduled,
};
#[cfg(feature = "postgres")]
pub use tenantry_sqlx::jobs::PgJobs;
pub use tenantry_sqlx::jobs::SqliteJobs;

use crate::{
    OpenError, Tenancy,
    config::{Config, JobsSection, Place},
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

async fn open(config: &Config) -> Result<Arc<dyn Broker>, OpenError> {
    let JobsSection { place, busy_timeout, .. } = &config.jobs;
    match place {
        Place::File(path) => Ok(Arc::new(SqliteJobs::open(path, *busy_timeout).await?)),
        #[cfg(feature = "postgres")]
        Place::Server(url) => {
            Ok(Arc::new(PgJobs::open(crate::config::connect_options("jobs.url", url)?, *busy_timeout).await?))
        }
        #[cfg(not(feature = "postgres"))]
        Place::Server(_) => {
            // Checked before; said again for a configuration that was put together in code.
            config.check()?;
            Err(OpenError::Jobs(BrokerError {
                place: "on a server".to_owned(),
                source: "this build has no PostgreSQL; build with the feature postgres".into(),
            }))
        }
    }
}
