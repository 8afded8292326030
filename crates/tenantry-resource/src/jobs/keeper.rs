//! What goes on while a worker is there: its leases are extended, and jobs become ready whose time has come.

use tokio::task::JoinHandle;

use super::{broker::Tended, queue::Place, worker::Worker};

/// A task of its own, so that leases are kept while handlers keep the worker busy. It ends when this is dropped.
pub(super) struct Keeper(JoinHandle<()>);

impl Keeper {
    #[expect(clippy::disallowed_methods, reason = "it works for all tenants, and runs no code of theirs")]
    pub(super) fn start(place: Place, worker: Worker) -> Self {
        Self(tokio::spawn(keep(place, worker)))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(place: Place, worker: Worker) {
    let options = &place.jobs.options;
    loop {
        match place.jobs.broker.tend(&place.queue, &worker.held(), options.lease).await {
            Ok(tended) => told(&place, tended),
            // Whoever takes jobs says so.
            Err(error) => tracing::debug!(queue = %place.queue, %error, "leases cannot be extended"),
        }
        tokio::time::sleep(options.tend_every()).await;
    }
}

fn told(place: &Place, tended: Tended) {
    if tended.due + tended.lost > 0 {
        place.pushed.notify_waiters();
    }
    if tended.lost > 0 {
        tracing::warn!(queue = %place.queue, jobs = tended.lost, "the worker of jobs is gone; they run again");
    }
    if tended.dead > 0 {
        tracing::error!(queue = %place.queue, jobs = tended.dead, "jobs were lost in their last attempt, and are given up");
    }
}
