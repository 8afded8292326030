//! A queue as the backend of apalis' workers.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::Task,
    worker::context::WorkerContext,
};
use serde::de::DeserializeOwned;
use sync_wrapper::SyncWrapper;
use tenantry_core::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    broker::Outcome,
    error::JobError,
    fetch,
    keeper::Keeper,
    options::JobOptions,
    queue::{JobQueue, Place},
    run::{Lease, RunLayer},
    worker::Worker,
};
use crate::NoRandomness;

/// What a queue does as the backend of one worker.
pub(super) struct Working<T> {
    worker: Worker,
    /// Keeps the leases until the worker is dropped.
    _keeper: Keeper,
    /// Tells the fetching to stop, at the latest when this is dropped.
    stop: DropGuard,
    fetching: Option<JoinHandle<Option<Task<T>>>>,
    closing: Option<SyncWrapper<BoxFuture<'static, ()>>>,
}

impl<T: DeserializeOwned + Send + 'static> Working<T> {
    fn begin(place: &Place) -> Result<Self, NoRandomness> {
        let worker = Worker::new(super::push::new_id()?);
        let keeper = Keeper::start(place.clone(), worker.clone());
        let stop = CancellationToken::new().drop_guard();
        Ok(Self { worker, _keeper: keeper, stop, fetching: None, closing: None })
    }

    /// The job that is being fetched, in a task of its own: a worker that is full, or about to stop, does not ask for it, and half-way it
    /// may hold a connection that others wait for.
    #[expect(clippy::disallowed_methods, reason = "it has no tenant before it has a job")]
    fn fetching(&mut self, place: &Place) -> &mut JoinHandle<Option<Task<T>>> {
        let next = || fetch::next(place.clone(), self.worker.clone(), self.stop.token().clone());
        self.fetching.get_or_insert_with(|| tokio::spawn(next()))
    }

    /// Gives back what was fetched and cannot be run any more.
    fn closing(&mut self) -> Pin<&mut (dyn Future<Output = ()> + Send)> {
        self.stop.token().cancel();
        let fetching = self.fetching.take();
        let give_back = async move {
            let fetched = match fetching {
                Some(fetching) => fetching.await.ok().flatten(),
                None => None,
            };
            if let Some(lease) = fetched.as_ref().and_then(|task| task.data().get::<Lease>()) {
                lease.finish(&Outcome::Returned).await;
            }
        };
        self.closing.get_or_insert_with(|| SyncWrapper::new(Box::pin(give_back))).get_mut().as_mut()
    }
}

/// Never fails while the store of jobs is away: a worker that has failed is gone, and this one goes on when it is back.
impl<T: DeserializeOwned + Send + 'static> Backend for JobQueue<T> {
    type Task = Task<T>;
    type Error = JobError;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), JobError>> {
        if self.working.is_none() {
            self.working = Some(Working::begin(&self.place)?);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<Result<Task<T>, JobError>>> {
        let Some(working) = &mut self.working else { return Poll::Ready(None) };
        let fetched = ready!(Pin::new(working.fetching(&self.place)).poll(cx));
        working.fetching = None;
        // It ends without a job only when it is told to stop, or with the runtime.
        Poll::Ready(fetched.ok().flatten().map(Ok))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), JobError>> {
        if let Some(working) = &mut self.working {
            ready!(working.closing().poll(cx));
            self.working = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> BackendConfig for JobQueue<T> {
    type Args = T;
    type Id = String;
    /// In apalis' words: jobs are read here, since one that cannot be read must not end the worker.
    type Kind = Ephemeral;
    type Config = JobOptions;
    type Layer = RunLayer;

    fn config(&self) -> &JobOptions {
        &self.place.jobs.options
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> RunLayer {
        RunLayer::new(self.place.jobs.options.concurrency_max)
    }
}
