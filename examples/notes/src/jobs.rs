//! Work that is done later, and every night.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use apalis::prelude::{Data, TaskSink, WorkerBuilder};
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqliteStorage};
use argon2::password_hash::rand_core::{OsRng, RngCore};
use chrono::Utc;
use cron::Schedule;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::db::Db;
use crate::models::digest;

/// What is to be done.
pub(crate) type Queue = SqliteStorage<WriteDigest>;

/// A job: to write a digest of the last day.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct WriteDigest {}

/// Second, minute, hour, day, month, day of the week; in UTC.
const NIGHTLY: &str = "0 0 3 * * *";

/// How often a worker says that it is alive, and looks for jobs.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How many heartbeats a worker may miss before others do its jobs.
const MISSED: usize = 60;

/// How long it waits when it could not.
const PAUSE: Duration = Duration::from_secs(5);

/// Opens the file of SQLite's in which jobs are kept, and makes it if need be.
pub(crate) async fn open(url: &str) -> anyhow::Result<Queue> {
    let options = SqliteConnectOptions::from_str(url).with_context(|| format!("{url} is not a database URL"))?;
    let pool = SqlitePool::connect_with(options.create_if_missing(true)).await;
    let pool = pool.with_context(|| format!("cannot open {url}"))?;
    SqliteStorage::setup(&pool).await.with_context(|| format!("cannot prepare {url}"))?;
    let config = Config::default().queue("digests").heartbeat_interval(HEARTBEAT).missed_heartbeats(MISSED);
    Ok(Queue::new(&pool).with_config(config))
}

/// Lets a digest be written soon.
pub(crate) async fn order_digest(queue: &Queue) -> anyhow::Result<()> {
    queue.clone().push(WriteDigest {}).await.context("cannot order a digest")
}

/// Does the jobs, until it is told to stop.
#[derive(Clone, Debug)]
pub struct Worker {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Worker {
    pub(crate) fn start(queue: &Queue, db: &Db) -> anyhow::Result<Self> {
        let nights = NIGHTLY.parse()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(work(queue.clone(), db.clone(), stop.clone()));
        tasks.spawn(stop.clone().run_until_cancelled_owned(every_night(queue.clone(), nights)));
        tasks.close();
        Ok(Self { stop, tasks })
    }

    /// Begins no more jobs, and waits for those that were begun.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

async fn work(queue: Queue, db: Db, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // Each has a name of its own, so that jobs of one that was killed are known.
        let name = format!("digests-{:016x}", OsRng.next_u64());
        let worker = WorkerBuilder::new(name).backend(queue.clone()).data(db.clone()).build(write_digest);
        let stopped = stop.clone().cancelled_owned();
        let signal = async move {
            stopped.await;
            Ok::<_, io::Error>(())
        };
        if let Err(error) = worker.run_until(signal).await {
            tracing::error!("no jobs are done for a moment: {error}");
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }
}

async fn write_digest(_: WriteDigest, db: Data<Db>) -> sqlx::Result<()> {
    digest::write(&db).await
}

async fn every_night(queue: Queue, nights: Schedule) {
    for night in nights.upcoming_owned(Utc) {
        let wait = night - Utc::now();
        tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
        if let Err(error) = order_digest(&queue).await {
            tracing::error!("there will be no digest of this night: {error:#}");
        }
    }
}
