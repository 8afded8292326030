//! The store.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    Connection, PgConnection, Postgres, Row,
    postgres::{PgConnectOptions, PgRow},
};
use tenantry_core::{BoxFuture, TenantId};
use tenantry_resource::jobs::{Broker, BrokerError, Counts, DeadJob, Held, NewJob, Outcome, Pushed, Taken, Tended};

use super::sql;
use crate::{
    jobs::{LOST, STEP_MAX, counts, dead, taken},
    lines::{Lines, Tables, Unavailable},
};

/// The jobs of all tenants in a PostgreSQL database, which many processes on many machines may share.
///
/// 1. Its tables are in the schema `tenantry_jobs`, which the role has to be able to make (`CREATE` on the database), or to own.
/// 2. It has at most [`PgJobs::CONNECTIONS_MAX`] connections. When the server was away, the next operation connects anew.
/// 3. Times are those of the server's clock.
pub struct PgJobs {
    lines: Lines<{ Self::CONNECTIONS_MAX }, BrokerError>,
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
        Ok(Self { lines: Lines::open(options, "tenantry jobs", timeout, TABLES).await? })
    }

    /// Closes the connections. Later operations make new ones.
    pub async fn close(&self) {
        self.lines.close().await;
    }

    async fn rows(&self, query: Query<'_>) -> Result<Vec<PgRow>, BrokerError> {
        self.lines.run(async |connection| query.fetch_all(connection).await).await
    }

    async fn changes(&self, query: Query<'_>) -> Result<bool, BrokerError> {
        let done = self.lines.run(async |connection| query.execute(connection).await).await?;
        Ok(done.rows_affected() > 0)
    }

    /// What is in the rows.
    fn read<T>(&self, rows: &[PgRow], read: impl Fn(&PgRow) -> Result<T, sqlx::Error>) -> Result<Vec<T>, BrokerError> {
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.lines.unavailable(error))
    }
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

impl Unavailable for BrokerError {
    fn at(place: String, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self { place, source }
    }
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
        Box::pin(self.lines.run(async move |connection| push_jobs(connection, (queue, tenant), jobs, max).await))
    }

    fn take<'a>(
        &'a self,
        queue: &'a str,
        by: &'a str,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Option<Taken>, BrokerError>> {
        Box::pin(async move {
            let rows = self.rows(sqlx::query(sql::TAKE).bind(queue).bind(by).bind(millis(lease))).await?;
            Ok(self.read(&rows, taken)?.pop())
        })
    }

    fn finish<'a>(
        &'a self,
        by: &'a str,
        id: &'a str,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        let statement = |sql| sqlx::query::<Postgres>(sql).bind(id).bind(by);
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
        held: &'a [Held],
        lease: Duration,
    ) -> BoxFuture<'a, Result<Tended, BrokerError>> {
        Box::pin(async move {
            let list = |of: fn(&Held) -> &str| held.iter().map(of).collect::<Vec<_>>();
            let tend = sqlx::query(sql::TEND).bind(queue).bind(millis(lease)).bind(STEP_MAX).bind(LOST);
            let tend = tend.bind(list(|held| &held.id)).bind(list(|held| &held.by));
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
        Box::pin(self.lines.run(async move |connection| {
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
        f.debug_struct("PgJobs").field("place", &self.lines.place()).finish_non_exhaustive()
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments>;

fn millis(time: Duration) -> i64 {
    // Far enough for any time, and adding two of them is still a number.
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

const TABLES: Tables = Tables {
    is_there: "SELECT to_regclass('tenantry_jobs.layout') IS NOT NULL",
    make: include_str!("1.sql"),
    version: "SELECT version FROM tenantry_jobs.layout",
    known: 1,
    // "TntyJobs" in ASCII.
    lock: 0x546e_7479_4a6f_6273,
};
