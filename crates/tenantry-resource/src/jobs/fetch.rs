//! The next job: taken from the broker, its tenant admitted, its signature checked.

use std::{sync::Arc, time::Duration};

use apalis_core::{
    backend::queue::Queue,
    task::{Task, builder::TaskBuilder, metadata::MetadataStore, task_id::TaskId},
};
use serde::de::DeserializeOwned;
use tenantry_core::{Code, Refusal, Scope, TenantId};
use tokio_util::sync::CancellationToken;

use super::{
    broker::{BrokerError, Held, Outcome, Taken},
    envelope::{self, Address},
    push,
    queue::Place,
    run::{Delivery, Lease},
    worker::{Hold, Worker},
};

/// Waits for the next job that can run now; nothing when it is told to stop.
pub(super) async fn next<T: DeserializeOwned>(
    place: Place,
    worker: Worker,
    stop: CancellationToken,
) -> Option<Task<T>> {
    let mut failures = 0;
    loop {
        let wait = match attempt(&place, &worker, &stop).await {
            Ok(Attempt::Ready(task)) => return Some(task),
            Ok(Attempt::Again) => Duration::ZERO,
            Ok(Attempt::Nothing) => {
                failures = 0;
                place.jobs.options.poll
            }
            Err(error) => {
                failures += 1;
                let wait = place.jobs.options.backoff(failures).min(OUTAGE_WAIT_MAX);
                tracing::warn!(queue = %place.queue, error = %chain(&error), ?wait, "no job can be taken");
                wait
            }
        };
        if stop.is_cancelled() {
            return None;
        }
        if !wait.is_zero() {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = place.pushed.notified(), if failures == 0 => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// What came of trying to take a job.
enum Attempt<T> {
    Ready(Task<T>),
    /// One was put aside, and there may be another.
    Again,
    Nothing,
}

async fn attempt<T: DeserializeOwned>(
    place: &Place,
    worker: &Worker,
    stop: &CancellationToken,
) -> Result<Attempt<T>, BrokerError> {
    let (jobs, queue) = (&place.jobs, &place.queue);
    let by = worker.next_take();
    let taken = jobs.broker.take(queue, &by, jobs.options.lease).await?;
    let Some(taken) = taken else { return Ok(Attempt::Nothing) };
    let hold = worker.hold(Held { id: taken.id.clone(), by });
    if stop.is_cancelled() {
        jobs.broker.finish(hold.by(), &taken.id, &Outcome::Returned).await?;
        return Ok(Attempt::Nothing);
    }
    let scope = match jobs.admission.admit_id(taken.tenant) {
        Ok(scope) => scope,
        Err(refusal) => {
            put_aside(place, &hold, &taken, &refusal).await?;
            return Ok(Attempt::Again);
        }
    };
    match read(place, &scope, &taken) {
        Ok(task) => Ok(Attempt::Ready(dress(task, place, hold, &scope, taken))),
        Err(failure) => {
            tracing::error!(tenant.slug = %scope.slug(), %queue, job = taken.id, failure, "a job cannot be run");
            jobs.broker.finish(hold.by(), &taken.id, &Outcome::Dead { failure }).await?;
            Ok(Attempt::Again)
        }
    }
}

/// A job whose tenant is not served waits; those of a tenant that is gone are dropped.
async fn put_aside(place: &Place, hold: &Hold, taken: &Taken, refusal: &Refusal) -> Result<(), BrokerError> {
    let (jobs, queue) = (&place.jobs, &place.queue);
    let put = if refusal.code() == Code::TenantUnknown && is_gone(place, taken.tenant).await {
        let forgotten = jobs.broker.forget(taken.tenant).await;
        forgotten.map(|dropped| {
            tracing::warn!(tenant.id = taken.tenant.get(), dropped, "jobs of a tenant that is gone were dropped");
        })
    } else {
        jobs.broker.park(queue, taken.tenant, jobs.options.park).await
    };
    // Whatever came of that, or else it waits for the end of its lease. Of those that were dropped it is one.
    jobs.broker.finish(hold.by(), &taken.id, &Outcome::Returned).await?;
    put
}

/// Whether the catalog itself does not have the tenant: this process may not have heard of a new one.
async fn is_gone(place: &Place, tenant: TenantId) -> bool {
    match place.jobs.catalog.by_id(tenant).await {
        Ok(found) => found.is_none(),
        Err(error) => {
            tracing::warn!(tenant.id = tenant.get(), %error, "whether a tenant is gone cannot be told; its jobs wait");
            false
        }
    }
}

/// The job, if it is as it was pushed, and what `T` is read from.
fn read<T: DeserializeOwned>(place: &Place, scope: &Scope, taken: &Taken) -> Result<TaskBuilder<T>, String> {
    let Taken { id, envelope, .. } = taken;
    let address = Address { holder: scope.into(), queue: &place.queue, id };
    if !envelope::is_signed(&place.jobs.keys, address, envelope) {
        return Err(
            "the signature is not the tenant's: it was changed, is from before a reset, or its key is gone".to_owned()
        );
    }
    let args = serde_json::from_slice(&envelope.payload).map_err(|error| {
        // Where and what is expected, but not the value.
        format!("it is not what the handler takes (line {}, column {})", error.line(), error.column())
    })?;
    let metadata = push::metadata(&envelope.metadata).map_err(|_| "what is noted with it cannot be read".to_owned())?;
    Ok(TaskBuilder::new(args).with_metadata(MetadataStore::from_map(metadata)))
}

/// The job with all that apalis, the handler and the layer around it need to know.
fn dress<T>(task: TaskBuilder<T>, place: &Place, hold: Hold, scope: &Scope, taken: Taken) -> Task<T> {
    let Taken { id, attempt, lost, attempts_max, priority, .. } = taken;
    if lost > 0 {
        tracing::warn!(
            tenant.slug = %scope.slug(), queue = %place.queue, job = id, attempt, lost,
            "a job runs again, since the worker that had it ended without a word"
        );
    }
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let lease = Lease { place: place.clone(), hold: Arc::new(hold), scope: scope.clone(), attempt, attempts_max };
    task.task_id(TaskId::from_string(id))
        .queue(Queue::from(&*place.queue))
        // apalis counts this one itself.
        .attempt(count(attempt.saturating_sub(1)))
        .max_attempts(count(attempts_max))
        .priority(usize::try_from(priority).unwrap_or(0))
        .data(Delivery { attempt, lost })
        .data(lease)
        .build()
}

/// An error with its causes, in one line.
fn chain(error: &BrokerError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// How long a worker waits at most for a store that is away.
const OUTAGE_WAIT_MAX: Duration = Duration::from_secs(10);
