//! The store.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    ConnectOptions, Connection, PgConnection, Postgres, Row,
    postgres::{PgConnectOptions, PgRow},
};
use tenantry_core::{BoxFuture, TenantId};
use tenantry_resource::jobs::{Broker, BrokerError, Counts, DeadJob, NewJob, Outcome, Pushed, Taken, Tended};
use thiserror::Error;

use super::sql;
use crate::{
    jobs::{LOST, STEP_MAX, counts, dead, taken},
    line::Line,
};

/// The jobs of all tenants in a PostgreSQL database, which many processes on many machines may share.
///
/// 1. Its tables are in the schema `tenantry_jobs`, which the role has to be able to make (`CREATE` on the database), or to own.
/// 2. It has at most [`PgJobs::CONNECTIONS_MAX`] connections. When the server was away, the next operation connects anew.
/// 3. Times are those of the server's clock.
pub struct PgJobs {
    place: String,
    timeout: Duration,
    lines: [Line; Self::CONNECTIONS_MAX],
    next: AtomicUsize,
}

impl PgJobs {
    /// How many connections there are at most.
    pub const CONNECTIONS_MAX: usize = 4;

    /// Jobs in this database. Each operation may take `timeout`.
    ///
    /// # Errors
    ///
    /// When the server is away, lets the role in nowhere, or the tables are from a newer version.
    pub async fn open(options: PgConnectOptions, timeout: Duration) -> Result<Self, BrokerError> {
        let (host, port) = (options.get_host().to_owned(), options.get_port());
        let place = format!("{host}:{port}/{}", options.get_database().unwrap_or(options.get_username()));
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("tenantry jobs"),
        };
        // Workers would fill every debug log.
        let options = options.disable_statement_logging();
        let lines = std::array::from_fn(|_| Line::new(options.clone()));
        let store = Self { place, timeout, lines, next: AtomicUsize::new(0) };
        store.run(async |connection| prepare(connection).await).await?.map_err(|failure| store.unavailable(failure))?;
        Ok(store)
    }

    /// Closes the connections. Later operations make new ones.
    pub async fn close(&self) {
        for line in &self.lines {
            line.close().await;
        }
    }

    /// Runs something on one of the connections, but not for ever: a server that is cut off says nothing.
    async fn run<T>(
        &self,
        operation: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, BrokerError> {
        let line = &self.lines[self.next.fetch_add(1, Ordering::Relaxed) % Self::CONNECTIONS_MAX];
        let run = async {
            let mut taken = line.take().await?;
            let outcome = operation(&mut taken).await?;
            taken.give_back();
            Ok::<_, sqlx::Error>(outcome)
        };
        match tokio::time::timeout(self.timeout, run).await {
            Ok(outcome) => outcome.map_err(|error| self.unavailable(error)),
            Err(_) => Err(self.unavailable(Failure::Silent { waited: self.timeout })),
        }
    }

    async fn rows(&self, query: Query<'_>) -> Result<Vec<PgRow>, BrokerError> {
        self.run(async |connection| query.fetch_all(connection).await).await
    }

    async fn changes(&self, query: Query<'_>) -> Result<bool, BrokerError> {
        let done = self.run(async |connection| query.execute(connection).await).await?;
        Ok(done.rows_affected() > 0)
    }

    /// What is in the rows.
    fn read<T>(&self, rows: &[PgRow], read: impl Fn(&PgRow) -> Result<T, sqlx::Error>) -> Result<Vec<T>, BrokerError> {
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.unavailable(error))
    }

    fn unavailable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BrokerError {
        BrokerError { place: self.place.clone(), source: source.into() }
    }
}

/// Makes the tables, if they are not there.
async fn prepare(connection: &mut PgConnection) -> Result<Result<(), Failure>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass('tenantry_jobs.layout') IS NOT NULL")
        .fetch_one(&mut *transaction)
        .await?;
    if !is_there {
        sqlx::raw_sql(include_str!("1.sql")).execute(&mut *transaction).await?;
        transaction.commit().await?;
        return Ok(Ok(()));
    }
    let found = sqlx::query_scalar("SELECT version FROM tenantry_jobs.layout").fetch_one(&mut *transaction).await?;
    transaction.rollback().await?;
    Ok(if found == VERSION { Ok(()) } else { Err(Failure::Newer { found, known: VERSION }) })
}

async fn push_one(
    connection: &mut PgConnection,
    (queue, tenant): (&str, TenantId),
    job: &NewJob,
    max: i64,
) -> Result<u64, sqlx::Error> {
    let push = sqlx::query(sql::PUSH)
        .bind(queue)
        .bind(tenant.get())
        .bind(&job.id)
        .bind(if job.delay.is_zero() { "ready" } else { "later" })
        .bind(millis(job.delay))
        .bind(job.priority)
        .bind(i64::from(job.attempts_max))
        .bind(&job.unique_key)
        .bind(&job.envelope.payload)
        .bind(&job.envelope.metadata)
        .bind(&job.envelope.signature)
        .bind(max);
    Ok(push.execute(connection).await?.rows_affected())
}

async fn push_jobs(
    connection: &mut PgConnection,
    (queue, tenant): (&str, TenantId),
    jobs: &[NewJob],
    max: i64,
) -> Result<Pushed, sqlx::Error> {
    let held = || sqlx::query_scalar::<_, i64>(sql::HELD).bind(queue).bind(tenant.get());
    if let [job] = jobs {
        let added = push_one(connection, (queue, tenant), job, max).await?;
        let is_full = added == 0 && held().fetch_one(connection).await? >= max;
        return Ok(if is_full { Pushed::Full } else { Pushed::Added(added) });
    }
    let mut transaction = connection.begin().await?;
    let before = held().fetch_one(&mut *transaction).await?;
    let mut added = 0;
    for job in jobs {
        added += push_one(&mut transaction, (queue, tenant), job, i64::MAX).await?;
    }
    if before.saturating_add_unsigned(added) > max {
        transaction.rollback().await?;
        return Ok(Pushed::Full);
    }
    transaction.commit().await?;
    Ok(Pushed::Added(added))
}

impl Broker for PgJobs {
    fn push<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        jobs: &'a [NewJob],
        jobs_max: Option<u64>,
    ) -> BoxFuture<'a, Result<Pushed, BrokerError>> {
        let max = jobs_max.map_or(i64::MAX, |max| i64::try_from(max).unwrap_or(i64::MAX));
        Box::pin(self.run(async move |connection| push_jobs(connection, (queue, tenant), jobs, max).await))
    }

    fn take<'a>(
        &'a self,
        queue: &'a str,
        worker: &'a str,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Option<Taken>, BrokerError>> {
        Box::pin(async move {
            let rows = self.rows(sqlx::query(sql::TAKE).bind(queue).bind(worker).bind(millis(lease))).await?;
            Ok(self.read(&rows, taken)?.pop())
        })
    }

    fn finish<'a>(
        &'a self,
        worker: &'a str,
        id: &'a str,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        let statement = |sql| sqlx::query::<Postgres>(sql).bind(id).bind(worker);
        Box::pin(self.changes(match outcome {
            Outcome::Done => statement(sql::DONE),
            Outcome::Again { delay, failure } => statement(sql::AGAIN).bind(millis(*delay)).bind(failure),
            Outcome::Dead { failure } => statement(sql::DEAD).bind(failure),
            Outcome::Returned => statement(sql::RETURNED),
        }))
    }

    fn tend<'a>(
        &'a self,
        queue: &'a str,
        worker: &'a str,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Tended, BrokerError>> {
        Box::pin(async move {
            let tend = sqlx::query(sql::TEND).bind(queue).bind(worker).bind(millis(lease)).bind(STEP_MAX).bind(LOST);
            let tended = self.read(&self.rows(tend).await?, |row| {
                let count = |column| row.try_get::<i64, _>(column).map(|count| u64::try_from(count).unwrap_or(0));
                Ok(Tended { due: count("due")?, lost: count("lost")?, dead: count("dead")? })
            });
            Ok(tended?.pop().unwrap_or_default())
        })
    }

    fn park<'a>(&'a self, queue: &'a str, tenant: TenantId, time: Duration) -> BoxFuture<'a, Result<(), BrokerError>> {
        let park = sqlx::query(sql::PARK).bind(queue).bind(tenant.get()).bind(millis(time));
        Box::pin(async move { self.changes(park).await.map(drop) })
    }

    fn tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
        tick: SystemTime,
        job: Option<&'a NewJob>,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        let since_1970 = millis(tick.duration_since(UNIX_EPOCH).unwrap_or_default());
        Box::pin(self.run(async move |connection| {
            let mut transaction = connection.begin().await?;
            let tick = sqlx::query(sql::TICK).bind(queue).bind(tenant.get()).bind(schedule).bind(since_1970);
            let is_first = tick.execute(&mut *transaction).await?.rows_affected() > 0;
            if let (true, Some(job)) = (is_first, job) {
                push_one(&mut transaction, (queue, tenant), job, i64::MAX).await?;
            }
            transaction.commit().await?;
            Ok(is_first)
        }))
    }

    fn last_tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
    ) -> BoxFuture<'a, Result<Option<SystemTime>, BrokerError>> {
        Box::pin(async move {
            let rows = self.rows(sqlx::query(sql::LAST_TICK).bind(queue).bind(tenant.get()).bind(schedule)).await?;
            let last = self.read(&rows, |row| row.try_get::<i64, _>("tick"))?.pop();
            Ok(last.map(|millis| UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))))
        })
    }

    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, BrokerError>> {
        Box::pin(async move {
            let rows = self.rows(sqlx::query(sql::FORGET).bind(tenant.get())).await?;
            let dropped = self.read(&rows, |row| row.try_get::<i64, _>(0))?.pop();
            Ok(dropped.map_or(0, |dropped| u64::try_from(dropped).unwrap_or(0)))
        })
    }

    fn counts(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Counts>, BrokerError>> {
        Box::pin(async move {
            let rows = self.rows(sqlx::query(sql::COUNTS).bind(tenant.get())).await?;
            self.read(&rows, counts)
        })
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<DeadJob>, BrokerError>> {
        Box::pin(async move {
            let dead_jobs = sqlx::query(sql::DEAD_JOBS).bind(queue).bind(tenant.get()).bind(i64::from(limit));
            let rows = self.rows(dead_jobs).await?;
            self.read(&rows, dead)
        })
    }

    fn revive<'a>(&'a self, queue: &'a str, tenant: TenantId, id: &'a str) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(self.changes(sqlx::query(sql::REVIVE).bind(queue).bind(tenant.get()).bind(id)))
    }

    fn discard<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        id: &'a str,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(self.changes(sqlx::query(sql::DISCARD).bind(queue).bind(tenant.get()).bind(id)))
    }
}

impl fmt::Debug for PgJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgJobs").field("place", &self.place).finish_non_exhaustive()
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments>;

/// Why the database cannot be used, where PostgreSQL does not say.
#[derive(Debug, Error)]
enum Failure {
    #[error("the tables were made by another version of Tenantry (tables {found}, this one knows {known}); update it")]
    Newer { found: i64, known: i64 },
    #[error("the server has not answered within {waited:?}")]
    Silent { waited: Duration },
}

fn millis(time: Duration) -> i64 {
    // Far enough for any time, and adding two of them is still a number.
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

/// The version of the tables.
const VERSION: i64 = 1;

/// Whoever makes the tables holds this advisory lock: "TntyJobs" in ASCII.
const LOCK: i64 = 0x546e_7479_4a6f_6273;
