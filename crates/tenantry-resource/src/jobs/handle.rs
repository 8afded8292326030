//! All queues of a deployment.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tenantry_core::{Admission, Catalog, TenantId, Unscoped};
use tokio::sync::Notify;

use super::{
    broker::{Broker, BrokerError, Counts},
    error::JobError,
    options::JobOptions,
    queue::JobQueue,
};
use crate::{MasterKeys, current};

/// The jobs of all tenants. Cloning is cheap, and clones are the same.
#[derive(Clone)]
pub struct Jobs {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) admission: Arc<Admission>,
    pub(super) catalog: Arc<dyn Catalog>,
    pub(super) keys: MasterKeys,
    pub(super) options: JobOptions,
    /// Wakes this process's workers when it has pushed a job.
    pushed: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Jobs {
    /// Jobs that are kept by `broker`, for the tenants that `admission` knows.
    ///
    /// `catalog` is asked whether a tenant is gone for good before its jobs are dropped: the mirror may not have heard of a new one.
    pub fn new(
        broker: Arc<dyn Broker>,
        admission: Arc<Admission>,
        catalog: Arc<dyn Catalog>,
        keys: MasterKeys,
        options: JobOptions,
    ) -> Self {
        let shared = Shared { broker, admission, catalog, keys, options, pushed: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The queue with this name, of jobs that are `T`.
    ///
    /// A job is stored under the name of its queue. When the name or what `T` is read from changes, jobs that are queued
    /// can no longer be read; those that cannot be are kept as dead letters.
    pub fn queue<T>(&self, name: impl Into<Arc<str>>) -> JobQueue<T> {
        let name = name.into();
        let pushed = self.shared.pushed(&name);
        JobQueue::new(Arc::clone(&self.shared), name, pushed)
    }

    /// How many jobs the current tenant has, by queue.
    ///
    /// # Errors
    ///
    /// Without a scope, and when the store of jobs is away.
    pub async fn counts(&self) -> Result<Vec<Counts>, JobError> {
        Ok(self.shared.broker.counts(current()?.id()).await?)
    }

    /// Drops all jobs of a tenant that is gone, and says how many it had.
    ///
    /// # Errors
    ///
    /// When the store of jobs is away.
    pub async fn forget(&self, tenant: TenantId, _why: Unscoped) -> Result<u64, BrokerError> {
        self.shared.broker.forget(tenant).await
    }
}

impl Shared {
    fn pushed(&self, queue: &str) -> Arc<Notify> {
        let mut pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pushed.entry(queue.to_owned()).or_default())
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
