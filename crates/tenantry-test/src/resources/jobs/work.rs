//! A job that says where and how it ran.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use apalis_core::{
    error::{AbortError, BoxDynError},
    task::data::Data,
    worker::{builder::WorkerBuilder, context::WorkerContext},
};
use serde::{Deserialize, Serialize};
use tenantry_resource::{
    current,
    jobs::{Delivery, JobQueue},
};
use tokio::{sync::oneshot, task::JoinHandle};

/// What a job is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// To say that it ran.
    Note(String),
    /// The same, in a task that it starts.
    NoteInTask(String),
    /// To take so many milliseconds, and then to say that it ran.
    Take(u64, String),
    /// To fail in the first so many attempts.
    Fail(u32, String),
    /// To say that trying again is of no use.
    Abort(String),
    /// To panic in the first attempt.
    Panic(String),
}

/// A job that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// For which tenant.
    pub tenant: String,
    /// What it was told to say.
    pub note: String,
    /// How it came.
    pub delivery: Delivery,
}

/// Workers of one queue, and what they did.
#[derive(Debug)]
pub struct Workers {
    ran: Arc<Mutex<Vec<Ran>>>,
    stop: Option<oneshot::Sender<()>>,
    worker: JoinHandle<()>,
}

/// Starts a worker that runs one job at a time.
pub fn work(queue: &JobQueue<Work>) -> Workers {
    let ran: Arc<Mutex<Vec<Ran>>> = Arc::default();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = WorkerBuilder::new("worker").backend(queue.clone()).data(Arc::clone(&ran)).build(run);
    let until = async move {
        stopped.await.ok();
        Ok::<(), std::io::Error>(())
    };
    #[expect(clippy::disallowed_methods, reason = "a worker has no scope")]
    let worker = tokio::spawn(async move { worker.run_until(until).await.unwrap() });
    Workers { ran, stop: Some(stop), worker }
}

impl Workers {
    /// What ran so far.
    pub fn ran(&self) -> Vec<Ran> {
        self.ran.lock().unwrap().clone()
    }

    /// The same, without how it came.
    pub fn notes(&self) -> Vec<(String, String)> {
        self.ran().into_iter().map(|ran| (ran.tenant, ran.note)).collect()
    }

    /// Waits until so many have run.
    pub async fn wait_for(&self, count: usize) -> Vec<Ran> {
        eventually("jobs have run", async || self.ran().len() >= count).await;
        self.ran()
    }

    /// Stops as a server does: what runs is finished.
    pub async fn stop(mut self) -> Vec<Ran> {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        (&mut self.worker).await.unwrap();
        self.ran()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

async fn run(
    work: Work,
    ran: Data<Arc<Mutex<Vec<Ran>>>>,
    delivery: Data<Delivery>,
    _: WorkerContext,
) -> Result<(), BoxDynError> {
    let delivery = *delivery;
    let note = move |note: String| {
        let tenant = current().map_or_else(|_| "nobody".to_owned(), |scope| scope.slug().to_string());
        ran.lock().unwrap().push(Ran { tenant, note, delivery });
    };
    match work {
        Work::Note(text) => note(text),
        Work::NoteInTask(text) => tenantry_resource::spawn(async move { note(text) })?.await?,
        Work::Take(millis, text) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            note(text);
        }
        Work::Fail(times, text) => {
            note(text);
            if delivery.attempt <= times {
                return Err(format!("attempt {} of {}", delivery.attempt, current()?.slug()).into());
            }
        }
        Work::Abort(text) => {
            note(text);
            return Err(Box::new(AbortError::new(BoxDynError::from("it is of no use"))));
        }
        Work::Panic(text) => {
            note(text);
            assert!(delivery.attempt > 1, "the first time");
        }
    }
    Ok(())
}

/// Waits until it is so, as long as a slow machine may take.
pub async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..3000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("in vain: {what}");
}
