//! The layer around handlers: the tenant's scope while the job runs, and what becomes of the job afterwards.

use std::{
    any::Any,
    fmt,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use apalis_core::{
    error::{AbortError, BoxDynError, RetryAfterError},
    task::Task,
};
use futures_util::FutureExt;
use tenantry_core::{BoxFuture, Count, Scope};
use tower::limit::ConcurrencyLimit;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument;

use super::{broker::Outcome, queue::Place, worker::Hold};
use crate::within_call;

/// How a job came to its handler. A handler asks for it with `Data<Delivery>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How many attempts before ended without a word, because the process was killed for instance: how far they got is not known, and
    /// what they did may be done twice.
    pub lost: u32,
}

/// A job that a worker has taken.
#[derive(Clone)]
pub(super) struct Lease {
    pub(super) place: Place,
    pub(super) hold: Arc<Hold>,
    pub(super) scope: Scope,
    pub(super) attempt: u32,
    pub(super) attempts_max: u32,
}

/// Runs each job in the scope of its tenant. apalis puts it around the handler and all other layers.
#[derive(Clone, Copy, Debug)]
pub struct RunLayer {
    concurrency_max: usize,
}

impl RunLayer {
    pub(super) const fn new(concurrency_max: usize) -> Self {
        Self { concurrency_max }
    }
}

impl<S> Layer<S> for RunLayer {
    type Service = RunService<S>;

    fn layer(&self, inner: S) -> RunService<S> {
        RunService { inner: ConcurrencyLimit::new(inner, self.concurrency_max) }
    }
}

/// What [`RunLayer`] makes of a service.
///
/// It is ready, and so takes a job, when fewer than `jobs.concurrency_max` run.
#[derive(Clone, Debug)]
pub struct RunService<S> {
    inner: ConcurrencyLimit<S>,
}

impl<S, T> Service<Task<T>> for RunService<S>
where
    S: Service<Task<T>, Error: Into<BoxDynError>, Response: Send, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = BoxDynError;
    type Future = BoxFuture<'static, Result<S::Response, BoxDynError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<T>) -> Self::Future {
        let Some(lease) = task.data().get::<Lease>().cloned() else {
            return Box::pin(async { Err("a job that was taken from no queue has no tenant".into()) });
        };
        let span = tracing::info_span!("job", tenant.slug = %lease.scope.slug(), queue = %lease.place.queue, job = lease.hold.id());
        let run = within_call(lease.scope.clone(), || self.inner.call(task));
        Box::pin(
            async move {
                let result = settled(AssertUnwindSafe(run).catch_unwind().await);
                let count = if result.is_ok() { Count::JobsDone } else { Count::JobsFailed };
                lease.scope.usage().add(count, 1);
                lease.finish(&outcome(&lease, &result)).await;
                result
            }
            .instrument(span),
        )
    }
}

impl Lease {
    /// Tells the broker, for as long as the job is this worker's.
    pub(super) async fn finish(&self, outcome: &Outcome) {
        let options = &self.place.jobs.options;
        let begun = Instant::now();
        let mut in_doubt = false;
        loop {
            match self.place.jobs.broker.finish(self.hold.by(), self.hold.id(), outcome).await {
                Ok(true) => return,
                // Mostly it was stored when the answer was lost.
                Ok(false) if in_doubt => {
                    tracing::info!("what became of a job is stored, or else its lease ended and it runs again");
                    return;
                }
                Ok(false) => {
                    tracing::warn!("the lease of a job ended while it ran, so it runs twice; raise jobs.lease");
                    return;
                }
                Err(error) if begun.elapsed() < options.lease => {
                    in_doubt = true;
                    tracing::warn!(%error, "what became of a job cannot be stored yet");
                    tokio::time::sleep(options.poll).await;
                }
                Err(error) => {
                    tracing::error!(%error, "what became of a job cannot be stored, so it runs again");
                    return;
                }
            }
        }
    }
}

/// The result, with a panic as an error.
fn settled<R, E: Into<BoxDynError>>(ended: Result<Result<R, E>, Box<dyn Any + Send>>) -> Result<R, BoxDynError> {
    match ended {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => Err(format!("it panicked: {}", message(&*panic)).into()),
    }
}

/// What becomes of a job that ended so.
fn outcome<R>(lease: &Lease, result: &Result<R, BoxDynError>) -> Outcome {
    let Err(error) = result else { return Outcome::Done };
    let failure = shortened(error.to_string());
    if error.is::<AbortError>() || lease.attempt >= lease.attempts_max {
        tracing::error!(failure, attempt = lease.attempt, "a job failed, and is given up");
        return Outcome::Dead { failure };
    }
    let delay = match error.downcast_ref::<RetryAfterError>() {
        Some(later) => later.get_duration(),
        None => lease.place.jobs.options.backoff(lease.attempt),
    };
    tracing::warn!(failure, attempt = lease.attempt, again_in = ?delay, "a job failed, and runs again");
    Outcome::Again { delay: delay.max(Duration::from_millis(1)), failure }
}

/// What the panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it did not say why")
}

/// A failure is stored with the job, and must not be larger than it.
fn shortened(mut text: String) -> String {
    if text.len() > FAILURE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(FAILURE_BYTES_MAX));
        text.push('…');
    }
    text
}

const FAILURE_BYTES_MAX: usize = 2000;

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("scope", &self.scope).field("id", &self.hold.id()).finish_non_exhaustive()
    }
}
