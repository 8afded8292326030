//! A job on its way to the broker.

use std::{
    collections::HashMap,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apalis_core::task::Task;
use futures_util::Sink;
use serde::Serialize;
use sync_wrapper::SyncWrapper;
use tenantry_core::{BoxFuture, Count, Scope};

use super::{
    broker::{NewJob, Pushed},
    envelope::{self, Address},
    error::JobError,
    queue::{JobQueue, Place},
};
use crate::{NoRandomness, current};

/// What a queue pushes as a sink: jobs that were sent, and those that are being stored.
#[derive(Default)]
pub(super) struct Pushing {
    sent: Vec<(Scope, NewJob)>,
    storing: Option<SyncWrapper<BoxFuture<'static, Result<(), JobError>>>>,
}

impl Place {
    /// A job of the scope's tenant, signed.
    pub(super) fn new_job<T: Serialize>(&self, scope: &Scope, task: &Task<T>) -> Result<NewJob, JobError> {
        let options = &self.jobs.options;
        let payload = serde_json::to_vec(&task.args).map_err(JobError::Unwritable)?;
        let metadata = serde_json::to_string(task.metadata().as_map()).map_err(JobError::Unwritable)?;
        let (bytes, max) = (payload.len() + metadata.len(), options.payload_bytes_max);
        if bytes > max {
            return Err(JobError::TooLarge { bytes, max });
        }
        let id = new_id()?;
        let address = Address { holder: scope.into(), queue: &self.queue, id: &id };
        Ok(NewJob {
            envelope: envelope::sign(&self.jobs.keys, address, payload, metadata),
            delay: task.run_at().map_or(Duration::ZERO, until),
            priority: task.priority().map_or(0, |priority| i64::try_from(priority).unwrap_or(i64::MAX)),
            attempts_max: task.max_attempts().map_or(options.attempts_max, at_least_one),
            unique_key: task.idempotency_key().map(str::to_owned),
            id,
        })
    }

    /// Stores jobs of the scope's tenant.
    pub(super) async fn push(&self, scope: &Scope, jobs: &[NewJob]) -> Result<(), JobError> {
        let jobs_max = scope.plan().limits.jobs_max;
        match (self.jobs.broker.push(&self.queue, scope.id(), jobs, jobs_max).await?, jobs_max) {
            (Pushed::Full, max) => Err(JobError::Full {
                tenant: scope.slug().clone(),
                queue: self.queue.to_string(),
                max: max.unwrap_or(u64::MAX),
            }),
            (Pushed::Added(jobs), _) => {
                scope.usage().add(Count::JobsQueued, jobs);
                self.pushed.notify_one();
                Ok(())
            }
        }
    }

    /// Stores jobs of whichever tenants, in the order in which they were sent.
    async fn push_all(self, mut sent: Vec<(Scope, NewJob)>) -> Result<(), JobError> {
        while let Some((scope, _)) = sent.first() {
            let scope = scope.clone();
            let others = sent.iter().position(|(other, _)| *other != scope).unwrap_or(sent.len());
            let jobs: Vec<_> = sent.drain(..others).map(|(_, job)| job).collect();
            self.push(&scope, &jobs).await?;
        }
        Ok(())
    }
}

/// Jobs are sent in the scope of their tenant, and stored when the sink is flushed.
impl<T: Serialize> Sink<Task<T>> for JobQueue<T> {
    type Error = JobError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), JobError>> {
        // Jobs are stored in batches.
        if self.pushing.sent.len() < BATCH_MAX { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    fn start_send(self: Pin<&mut Self>, task: Task<T>) -> Result<(), JobError> {
        let scope = current()?;
        let job = self.place.new_job(&scope, &task)?;
        self.get_mut().pushing.sent.push((scope, job));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), JobError>> {
        let Self { place, pushing, .. } = self.get_mut();
        loop {
            if let Some(storing) = &mut pushing.storing {
                let stored = ready!(storing.get_mut().as_mut().poll(cx));
                pushing.storing = None;
                stored?;
            }
            if pushing.sent.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let storing = place.clone().push_all(std::mem::take(&mut pushing.sent));
            pushing.storing = Some(SyncWrapper::new(Box::pin(storing)));
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), JobError>> {
        self.poll_flush(cx)
    }
}

/// What apalis and layers have noted, from its stored form.
pub(super) fn metadata(text: &str) -> Result<HashMap<String, String>, serde_json::Error> {
    serde_json::from_str(text)
}

/// How long it is until then, in seconds since 1970.
fn until(run_at: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(run_at).saturating_sub(now)
}

fn at_least_one(attempts: usize) -> u32 {
    u32::try_from(attempts).unwrap_or(u32::MAX).max(1)
}

/// A name that no other job has: 16 random bytes.
pub(super) fn new_id() -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    crate::keys::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// How many jobs are stored at once.
const BATCH_MAX: usize = 100;
