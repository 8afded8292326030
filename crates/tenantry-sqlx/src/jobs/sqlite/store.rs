//! The store.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteSynchronous};
use tenantry_core::{BoxFuture, TenantId};
use tenantry_resource::jobs::{Broker, BrokerError, Counts, DeadJob, Held, NewJob, Outcome, Pushed, Taken, Tended};

use super::sql;
use crate::{
    jobs::{LOST, STEP_MAX, counts, dead, taken},
    store_file::{Contents, StoreFile},
};

/// The jobs of all tenants in one SQLite file, which several processes of one machine may share.
///
/// 1. A job that was pushed survives the end of any process. After a power cut, jobs of the last moment may be missing, and
///    some that were done may run again: the file has a write-ahead log, which is not written through for each job.
/// 2. When the file is locked by another process, an operation waits for the busy timeout, and then fails.
/// 3. The file is made with mode 0600, since jobs have tenants' data in them.
pub struct SqliteJobs {
    file: StoreFile,
}

impl SqliteJobs {
    /// Opens the file, and makes it when it is missing.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or made, or belongs to something else.
    pub async fn open(path: impl Into<PathBuf>, busy_timeout: Duration) -> Result<Self, BrokerError> {
        let path = path.into();
        let file = StoreFile::open(&path, busy_timeout, CONTENTS).await;
        file.map(|file| Self { file }).map_err(|error| unavailable(&path, error))
    }

    /// Closes the file. Later operations fail.
    pub async fn close(&self) {
        self.file.pool.close().await;
    }

    async fn push_one(
        connection: &mut SqliteConnection,
        queue: &str,
        tenant: TenantId,
        job: &NewJob,
        max: i64,
    ) -> Result<u64, sqlx::Error> {
        let (state, due) = (if job.delay.is_zero() { "ready" } else { "later" }, now() + millis(job.delay));
        let push = sqlx::query(sql::PUSH)
            .bind(queue)
            .bind(tenant.get())
            .bind(&job.id)
            .bind(state)
            .bind(due)
            .bind(job.priority)
            .bind(job.attempts_max)
            .bind(&job.unique_key)
            .bind(&job.envelope.payload)
            .bind(&job.envelope.metadata)
            .bind(&job.envelope.signature)
            .bind(max);
        Ok(push.execute(connection).await?.rows_affected())
    }

    async fn push_jobs(&self, queue: &str, tenant: TenantId, jobs: &[NewJob], max: i64) -> Result<Pushed, sqlx::Error> {
        let mut connection = self.file.pool.acquire().await?;
        let held = || sqlx::query_scalar(sql::HELD).bind(queue).bind(tenant.get());
        if let [job] = jobs {
            let added = Self::push_one(&mut connection, queue, tenant, job, max).await?;
            let is_full = added == 0 && held().fetch_one(&mut *connection).await? >= max;
            return Ok(if is_full { Pushed::Full } else { Pushed::Added(added) });
        }
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let before: i64 = held().fetch_one(&mut *transaction).await?;
        let mut added = 0;
        for job in jobs {
            added += Self::push_one(&mut transaction, queue, tenant, job, i64::MAX).await?;
        }
        if before.saturating_add_unsigned(added) > max {
            return Ok(Pushed::Full);
        }
        transaction.commit().await?;
        Ok(Pushed::Added(added))
    }

    async fn finish_job(&self, by: &str, id: &str, outcome: &Outcome) -> Result<bool, sqlx::Error> {
        let statement = |sql| sqlx::query::<sqlx::Sqlite>(sql).bind(id).bind(by);
        let finish = match outcome {
            Outcome::Done => statement(sql::DONE),
            Outcome::Again { delay, failure } => statement(sql::AGAIN).bind(now() + millis(*delay)).bind(failure),
            Outcome::Dead { failure } => statement(sql::DEAD).bind(failure),
            Outcome::Returned => statement(sql::RETURNED),
        };
        Ok(finish.execute(&self.file.pool).await?.rows_affected() > 0)
    }

    async fn tend_queue(&self, queue: &str, held: &[Held], lease: Duration) -> Result<Tended, sqlx::Error> {
        let now = now();
        if !held.is_empty() {
            let list = |of: fn(&Held) -> &str| serde_json::Value::from_iter(held.iter().map(of)).to_string();
            let extend = sqlx::query(sql::EXTEND).bind(now + millis(lease)).bind(now + millis(lease * 2 / 3));
            extend.bind(list(|held| &held.id)).bind(list(|held| &held.by)).execute(&self.file.pool).await?;
        }
        let lost =
            sqlx::query(sql::LOST).bind(queue).bind(now).bind(LOST).bind(STEP_MAX).fetch_all(&self.file.pool).await?;
        let due = sqlx::query(sql::DUE).bind(queue).bind(now).bind(STEP_MAX).execute(&self.file.pool).await?;
        sqlx::query(sql::UNPARK).bind(queue).bind(now).execute(&self.file.pool).await?;
        sqlx::query(sql::SWEEP).bind(queue).execute(&self.file.pool).await?;
        let mut tended = Tended { due: due.rows_affected(), ..Tended::default() };
        for row in lost {
            match row.try_get("dead")? {
                true => tended.dead += 1,
                false => tended.lost += 1,
            }
        }
        Ok(tended)
    }

    async fn tick_schedule(
        &self,
        (queue, tenant, schedule): (&str, TenantId, &str),
        tick: SystemTime,
        job: Option<&NewJob>,
    ) -> Result<bool, sqlx::Error> {
        let mut connection = self.file.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let first = sqlx::query(sql::TICK).bind(queue).bind(tenant.get()).bind(schedule).bind(since_1970(tick));
        if first.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(job) = job {
            Self::push_one(&mut transaction, queue, tenant, job, i64::MAX).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn forget_tenant(&self, tenant: TenantId) -> Result<u64, sqlx::Error> {
        let mut connection = self.file.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let queues = sqlx::query_scalar(sql::QUEUES).bind(tenant.get()).fetch_all(&mut *transaction).await?;
        let mut jobs = 0;
        for queue in queues {
            let queue: String = queue;
            let forget = sqlx::query(sql::FORGET).bind(queue).bind(tenant.get());
            jobs += forget.execute(&mut *transaction).await?.rows_affected();
        }
        for rest in [sql::FORGET_TURNS, sql::FORGET_TICKS] {
            sqlx::query(rest).bind(tenant.get()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(jobs)
    }

    fn failed(&self, error: sqlx::Error) -> BrokerError {
        unavailable(self.file.path(), error)
    }
}

impl Broker for SqliteJobs {
    fn push<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        jobs: &'a [NewJob],
        jobs_max: Option<u64>,
    ) -> BoxFuture<'a, Result<Pushed, BrokerError>> {
        let max = jobs_max.map_or(i64::MAX, |max| i64::try_from(max).unwrap_or(i64::MAX));
        Box::pin(async move { self.push_jobs(queue, tenant, jobs, max).await.map_err(|error| self.failed(error)) })
    }

    fn take<'a>(
        &'a self,
        queue: &'a str,
        by: &'a str,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Option<Taken>, BrokerError>> {
        Box::pin(async move {
            let take = sqlx::query(sql::TAKE).bind(queue).bind(by).bind(now() + millis(lease));
            let row = take.fetch_optional(&self.file.pool).await.map_err(|error| self.failed(error))?;
            row.as_ref().map(taken).transpose().map_err(|error| self.failed(error))
        })
    }

    fn finish<'a>(
        &'a self,
        by: &'a str,
        id: &'a str,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(async move { self.finish_job(by, id, outcome).await.map_err(|error| self.failed(error)) })
    }

    fn tend<'a>(
        &'a self,
        queue: &'a str,
        held: &'a [Held],
        lease: Duration,
    ) -> BoxFuture<'a, Result<Tended, BrokerError>> {
        Box::pin(async move { self.tend_queue(queue, held, lease).await.map_err(|error| self.failed(error)) })
    }

    fn park<'a>(&'a self, queue: &'a str, tenant: TenantId, time: Duration) -> BoxFuture<'a, Result<(), BrokerError>> {
        Box::pin(async move {
            let park = sqlx::query(sql::PARK).bind(queue).bind(tenant.get()).bind(now() + millis(time));
            park.execute(&self.file.pool).await.map(drop).map_err(|error| self.failed(error))
        })
    }

    fn tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
        tick: SystemTime,
        job: Option<&'a NewJob>,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(async move {
            let ticked = self.tick_schedule((queue, tenant, schedule), tick, job).await;
            ticked.map_err(|error| self.failed(error))
        })
    }

    fn last_tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
    ) -> BoxFuture<'a, Result<Option<SystemTime>, BrokerError>> {
        Box::pin(async move {
            let last = sqlx::query_scalar(sql::LAST_TICK).bind(queue).bind(tenant.get()).bind(schedule);
            let last: Option<i64> = last.fetch_optional(&self.file.pool).await.map_err(|error| self.failed(error))?;
            Ok(last.map(|millis| UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))))
        })
    }

    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, BrokerError>> {
        Box::pin(async move { self.forget_tenant(tenant).await.map_err(|error| self.failed(error)) })
    }

    fn counts(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Counts>, BrokerError>> {
        Box::pin(async move {
            let rows = sqlx::query(sql::COUNTS).bind(tenant.get()).fetch_all(&self.file.pool).await;
            let rows = rows.map_err(|error| self.failed(error))?;
            rows.iter().map(counts).collect::<Result<_, _>>().map_err(|error| self.failed(error))
        })
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<DeadJob>, BrokerError>> {
        Box::pin(async move {
            let rows = sqlx::query(sql::DEAD_JOBS).bind(queue).bind(tenant.get()).bind(limit);
            let rows = rows.fetch_all(&self.file.pool).await.map_err(|error| self.failed(error))?;
            rows.iter().map(dead).collect::<Result<_, _>>().map_err(|error| self.failed(error))
        })
    }

    fn revive<'a>(&'a self, queue: &'a str, tenant: TenantId, id: &'a str) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(self.of_dead(sql::REVIVE, queue, tenant, id))
    }

    fn discard<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        id: &'a str,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(self.of_dead(sql::DISCARD, queue, tenant, id))
    }
}

impl SqliteJobs {
    async fn of_dead(&self, sql: &'static str, queue: &str, tenant: TenantId, id: &str) -> Result<bool, BrokerError> {
        let done = sqlx::query(sql).bind(queue).bind(tenant.get()).bind(id).execute(&self.file.pool).await;
        Ok(done.map_err(|error| self.failed(error))?.rows_affected() > 0)
    }
}

impl fmt::Debug for SqliteJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteJobs").field("path", &self.file.path()).finish_non_exhaustive()
    }
}

fn unavailable(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BrokerError {
    BrokerError { place: path.display().to_string(), source: source.into() }
}

fn now() -> i64 {
    since_1970(SystemTime::now())
}

fn since_1970(time: SystemTime) -> i64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(time: Duration) -> i64 {
    // Far enough for any time, and adding two of them is still a number.
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

const CONTENTS: Contents = Contents {
    what: "jobs",
    // "Tnjb" in ASCII.
    application: 0x546e_6a62,
    version: 1,
    make: include_str!("1.sql"),
    synchronous: SqliteSynchronous::Normal,
};
