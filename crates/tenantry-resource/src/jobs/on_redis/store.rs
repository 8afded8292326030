//! The store.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use redis::{FromRedisValue, Script, ScriptInvocation};
use tenantry_core::{BoxFuture, TenantId};

use super::{open, scripts::Scripts};
use crate::{
    jobs::broker::{Broker, BrokerError, Counts, DeadJob, Envelope, Held, NewJob, Outcome, Pushed, Taken, Tended},
    redis::{RedisServer, Repeat},
};

/// The jobs of all tenants on a Redis server, version 6.2 or newer, which many processes on many machines may share.
///
/// 1. Jobs are as durable as the server is told to be. With `appendonly yes` a job that was pushed survives a restart; with
///    `appendfsync everysec`, the default, those of the last second may be missing after a crash of the machine, and some that
///    were done may run again; `appendfsync always` loses none. Without an append-only file jobs are in memory only, which is
///    said in the log. What a replica has not heard is lost when it takes over.
/// 2. A server that may evict keys is refused when this is opened: its `maxmemory-policy` has to be `noeviction`. A server that
///    has no room refuses new jobs, and workers go on.
/// 3. Times are those of the server's clock, so that leases do not depend on whether the clocks of processes agree.
/// 4. While the server is away operations fail at once, and they work again when it is back.
pub struct RedisJobs {
    server: RedisServer,
    /// The key that every script is given.
    layout: String,
    scripts: Scripts,
}

impl RedisJobs {
    /// Jobs on this server.
    ///
    /// # Errors
    ///
    /// When the server is away, may evict jobs, or has those of a newer version.
    pub async fn open(server: RedisServer) -> Result<Self, BrokerError> {
        let layout = format!("{}layout", server.prefix().of_jobs());
        let jobs = Self { server, layout, scripts: Scripts::new() };
        match open::check(&jobs.server, &jobs.layout).await {
            Ok(()) => Ok(jobs),
            Err(source) => Err(jobs.unavailable(source)),
        }
    }

    fn invoke<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        script.key(&self.layout)
    }

    async fn run<T: FromRedisValue>(
        &self,
        repeat: Repeat,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, BrokerError> {
        let sent = self.server.run(repeat, |mut redis| async move { invocation.invoke_async(&mut redis).await });
        sent.await.map_err(|error| self.unavailable(error))
    }

    fn unavailable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BrokerError {
        BrokerError { place: self.server.place(), source: source.into() }
    }
}

impl Broker for RedisJobs {
    /// Again is the same as once: a job whose id is there is not added again. One that was done in the meantime has left its
    /// id behind for as long as it can take to send something again.
    fn push<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        jobs: &'a [NewJob],
        jobs_max: Option<u64>,
    ) -> BoxFuture<'a, Result<Pushed, BrokerError>> {
        Box::pin(async move {
            let mut push = self.invoke(&self.scripts.push);
            push.arg(queue).arg(tenant.get()).arg(jobs_max.unwrap_or(NUMBER_MAX).min(NUMBER_MAX));
            for job in jobs {
                add(&mut push, job);
            }
            let added: i64 = self.run(Repeat::Harmless, &push).await?;
            Ok(u64::try_from(added).map_or(Pushed::Full, Pushed::Added))
        })
    }

    /// Not sent again, since it would take another job. The one whose answer was lost is nobody's: its lease is not extended,
    /// and when that has ended the job runs again and is told so.
    fn take<'a>(
        &'a self,
        queue: &'a str,
        by: &'a str,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Option<Taken>, BrokerError>> {
        Box::pin(async move {
            let mut take = self.invoke(&self.scripts.take);
            take.arg(queue).arg(by).arg(millis(lease));
            let row: Option<TakenRow> = self.run(Repeat::Never, &take).await?;
            Ok(row.map(taken))
        })
    }

    /// Not sent again: the answer would be that the attempt is over. Whoever asks again after an error is told so, when the
    /// first time was stored after all.
    fn finish<'a>(
        &'a self,
        by: &'a str,
        id: &'a str,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(async move {
            let (what, delay, failure) = match outcome {
                Outcome::Done => ("done", 0, ""),
                Outcome::Again { delay, failure } => ("again", millis(*delay), failure.as_str()),
                Outcome::Dead { failure } => ("dead", 0, failure.as_str()),
                Outcome::Returned => ("returned", 0, ""),
            };
            let mut finish = self.invoke(&self.scripts.finish);
            let remembered = millis(self.server.patience());
            finish.arg(by).arg(id).arg(what).arg(delay).arg(failure).arg(remembered);
            self.run(Repeat::Never, &finish).await
        })
    }

    /// Again is the same as once, but that jobs which the first one has made ready are not counted.
    fn tend<'a>(
        &'a self,
        queue: &'a str,
        held: &'a [Held],
        lease: Duration,
    ) -> BoxFuture<'a, Result<Tended, BrokerError>> {
        Box::pin(async move {
            let mut tend = self.invoke(&self.scripts.tend);
            tend.arg(queue).arg(millis(lease)).arg(STEP_MAX).arg(LOST);
            for Held { id, by } in held {
                tend.arg(id).arg(by);
            }
            let mut tended = Tended::default();
            for _ in 0..STEPS_MAX {
                let (due, lost, dead, is_more): (u64, u64, u64, bool) = self.run(Repeat::Harmless, &tend).await?;
                tended.due += due;
                tended.lost += lost;
                tended.dead += dead;
                if !is_more {
                    break;
                }
            }
            Ok(tended)
        })
    }

    /// Again is a little longer.
    fn park<'a>(&'a self, queue: &'a str, tenant: TenantId, time: Duration) -> BoxFuture<'a, Result<(), BrokerError>> {
        Box::pin(async move {
            let mut park = self.invoke(&self.scripts.park);
            park.arg(queue).arg(tenant.get()).arg(millis(time));
            self.run(Repeat::Harmless, &park).await
        })
    }

    /// Again is too late, so that there is no second job; but nobody is told that this call was the first.
    fn tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
        tick: SystemTime,
        job: Option<&'a NewJob>,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(async move {
            let since_1970 = millis(tick.duration_since(UNIX_EPOCH).unwrap_or_default());
            let mut tick = self.invoke(&self.scripts.tick);
            tick.arg(queue).arg(tenant.get()).arg(schedule).arg(since_1970);
            if let Some(job) = job {
                add(&mut tick, job);
            }
            self.run(Repeat::Harmless, &tick).await
        })
    }

    fn last_tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
    ) -> BoxFuture<'a, Result<Option<SystemTime>, BrokerError>> {
        Box::pin(async move {
            let mut last = self.invoke(&self.scripts.last_tick);
            last.arg(queue).arg(tenant.get()).arg(schedule);
            let last: Option<u64> = self.run(Repeat::Harmless, &last).await?;
            Ok(last.map(|millis| UNIX_EPOCH + Duration::from_millis(millis)))
        })
    }

    /// Again drops nothing more, and says so. The tenant has no jobs after the first script; what is left of them takes room on
    /// the server, and whatever this does not get to is removed when jobs are tended.
    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, BrokerError>> {
        Box::pin(async move {
            let mut forget = self.invoke(&self.scripts.forget);
            forget.arg(tenant.get());
            let dropped = self.run(Repeat::Harmless, &forget).await?;
            let mut sweep = self.invoke(&self.scripts.sweep);
            sweep.arg(STEP_MAX);
            while self.run(Repeat::Harmless, &sweep).await.unwrap_or(false) {}
            Ok(dropped)
        })
    }

    fn counts(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Counts>, BrokerError>> {
        Box::pin(async move {
            let mut ask = self.invoke(&self.scripts.counts);
            ask.arg(tenant.get());
            let rows: Vec<CountsRow> = self.run(Repeat::Harmless, &ask).await?;
            let mut all: Vec<_> = rows.into_iter().map(counts).collect();
            all.sort_unstable_by(|a, b| a.queue.cmp(&b.queue));
            Ok(all)
        })
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<DeadJob>, BrokerError>> {
        Box::pin(async move {
            let mut ask = self.invoke(&self.scripts.dead);
            ask.arg(queue).arg(tenant.get()).arg(limit);
            let rows: Vec<DeadRow> = self.run(Repeat::Harmless, &ask).await?;
            Ok(rows.into_iter().map(dead).collect())
        })
    }

    /// Not sent again: the answer would be that there is none.
    fn revive<'a>(&'a self, queue: &'a str, tenant: TenantId, id: &'a str) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(self.of_dead(&self.scripts.revive, queue, tenant, id))
    }

    /// Not sent again, for the same reason.
    fn discard<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        id: &'a str,
    ) -> BoxFuture<'a, Result<bool, BrokerError>> {
        Box::pin(self.of_dead(&self.scripts.discard, queue, tenant, id))
    }
}

impl RedisJobs {
    async fn of_dead(&self, script: &Script, queue: &str, tenant: TenantId, id: &str) -> Result<bool, BrokerError> {
        let mut invocation = self.invoke(script);
        invocation.arg(queue).arg(tenant.get()).arg(id);
        self.run(Repeat::Never, &invocation).await
    }
}

impl fmt::Debug for RedisJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisJobs").field("server", &self.server).finish_non_exhaustive()
    }
}

/// A new job, as the prelude reads it.
fn add(invocation: &mut ScriptInvocation<'_>, job: &NewJob) {
    // One that is to wait waits, however short.
    let delay = if job.delay.is_zero() { 0 } else { millis(job.delay).max(1) };
    invocation
        .arg(&job.id)
        .arg(delay)
        .arg(rank(job.priority))
        .arg(job.priority)
        .arg(job.attempts_max)
        .arg(job.unique_key.as_ref().map_or_else(String::new, |key| format!("+{key}")))
        .arg(&job.envelope.payload[..])
        .arg(&job.envelope.metadata)
        .arg(&job.envelope.signature[..]);
}

/// Sixteen digits whose order is that in which priorities come: the highest has the lowest.
fn rank(priority: i64) -> String {
    format!("{:016x}", i64::MAX.abs_diff(priority))
}

/// Id, tenant, attempt, lost, attempts at most, priority; payload, metadata, signature.
type TakenRow = (String, i64, u32, u32, u32, i64, Vec<u8>, String, Vec<u8>);

fn taken(row: TakenRow) -> Taken {
    let (id, tenant, attempt, lost, attempts_max, priority, payload, metadata, signature) = row;
    let envelope = Envelope { payload, metadata, signature };
    Taken { id, tenant: TenantId::new(tenant), attempt, lost, attempts_max, priority, envelope }
}

/// Id, attempts, failure; payload, metadata, signature.
type DeadRow = (String, u32, String, Vec<u8>, String, Vec<u8>);

fn dead((id, attempts, failure, payload, metadata, signature): DeadRow) -> DeadJob {
    DeadJob { id, attempts, failure, envelope: Envelope { payload, metadata, signature } }
}

/// Queue; later, ready, running, dead.
type CountsRow = (String, u64, u64, u64, u64);

fn counts((queue, later, ready, running, dead): CountsRow) -> Counts {
    Counts { queue, waiting: later + ready, running, dead }
}

fn millis(time: Duration) -> u64 {
    // Far enough for any time, and adding two of them is still a number of Lua's.
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(NUMBER_MAX / 2)
}

/// Up to here Lua's numbers are exact.
const NUMBER_MAX: u64 = 1 << 53;

/// How many jobs at most are gone through in one script, since the server does nothing else in the meantime.
const STEP_MAX: u32 = 100;

/// How many steps there are in one go, so that others have their turn: as many jobs as in other stores.
const STEPS_MAX: u32 = 10;

/// What a job is told of that was lost in its last attempt.
const LOST: &str = "the worker ended without a word, in the last attempt";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_priority_has_the_lowest_rank() {
        let priorities = [i64::MAX, i64::MAX - 1, 1 << 53, 1, 0, -1, i64::MIN + 1, i64::MIN];
        let ranks = priorities.map(rank);
        assert!(ranks.is_sorted() && ranks.windows(2).all(|pair| pair[0] != pair[1]), "{ranks:?}");
        assert!(ranks.iter().all(|rank| rank.len() == 16), "{ranks:?}");
    }
}
