//! A queue, as an application pushes jobs to it.

use std::{fmt, marker::PhantomData, sync::Arc};

use apalis_core::task::Task;
use serde::Serialize;
use tokio::sync::Notify;

use super::{
    backend::Working,
    broker::{Counts, DeadJob},
    error::JobError,
    handle::Shared,
    push::Pushing,
};
use crate::current;

/// The jobs of one kind, of all tenants: what an application pushes jobs to, and gives to apalis' workers.
///
/// It takes the place of a storage of apalis' (`SqliteStorage<T>`): `push` and its sisters (`apalis_core::backend::TaskSink`)
/// queue a job for the current tenant, and `WorkerBuilder::backend` takes it.
///
/// Cloning is cheap, and clones are the same queue.
pub struct JobQueue<T> {
    pub(super) place: Place,
    /// What this one does as a worker's backend.
    pub(super) working: Option<Working<T>>,
    /// What this one pushes as a sink.
    pub(super) pushing: Pushing,
    job: PhantomData<fn() -> T>,
}

/// Where the jobs are.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) jobs: Arc<Shared>,
    pub(super) queue: Arc<str>,
    pub(super) pushed: Arc<Notify>,
}

impl<T> JobQueue<T> {
    pub(super) fn new(jobs: Arc<Shared>, queue: Arc<str>, pushed: Arc<Notify>) -> Self {
        let place = Place { jobs, queue, pushed };
        Self { place, working: None, pushing: Pushing::default(), job: PhantomData }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.place.queue
    }

    /// How many jobs the current tenant has in this queue; nothing when it has none.
    ///
    /// # Errors
    ///
    /// Without a scope, and when the store of jobs is away.
    pub async fn counts(&self) -> Result<Option<Counts>, JobError> {
        let counts = self.place.jobs.broker.counts(current()?.id()).await?;
        Ok(counts.into_iter().find(|counts| counts.queue == *self.place.queue))
    }

    /// At most `limit` jobs of the current tenant that were given up, those that were pushed first.
    ///
    /// # Errors
    ///
    /// Without a scope, and when the store of jobs is away.
    pub async fn dead(&self, limit: u32) -> Result<Vec<DeadJob>, JobError> {
        let scope = current()?;
        Ok(self.place.jobs.broker.dead(&self.place.queue, scope.id(), limit).await?)
    }

    /// Runs a job of the current tenant that was given up once more, as if it were new. Says whether there is one.
    ///
    /// # Errors
    ///
    /// As for [`JobQueue::dead`].
    pub async fn revive(&self, id: &str) -> Result<bool, JobError> {
        let scope = current()?;
        let revived = self.place.jobs.broker.revive(&self.place.queue, scope.id(), id).await?;
        if revived {
            self.place.pushed.notify_one();
        }
        Ok(revived)
    }

    /// Removes a job of the current tenant that was given up. Says whether there is one.
    ///
    /// # Errors
    ///
    /// As for [`JobQueue::dead`].
    pub async fn discard(&self, id: &str) -> Result<bool, JobError> {
        let scope = current()?;
        Ok(self.place.jobs.broker.discard(&self.place.queue, scope.id(), id).await?)
    }
}

impl<T: Serialize> JobQueue<T> {
    /// Queues a job for the current tenant. When this returns, it is stored.
    ///
    /// # Errors
    ///
    /// [`JobError`] says why it is not queued.
    pub async fn enqueue(&self, job: &T) -> Result<(), JobError> {
        let scope = current()?;
        let job = self.place.new_job(&scope, &Task::new(job))?;
        self.place.push(&scope, &[job]).await
    }
}

impl<T> Clone for JobQueue<T> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), working: None, pushing: Pushing::default(), job: PhantomData }
    }
}

impl<T> fmt::Debug for JobQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobQueue").field("name", &self.name()).finish_non_exhaustive()
    }
}
