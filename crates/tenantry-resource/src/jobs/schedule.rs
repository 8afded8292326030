//! Jobs that come again and again, for each tenant at its own times.

use std::{
    collections::HashMap,
    convert::Infallible,
    str::FromStr,
    time::{Duration, SystemTime},
};

use apalis_core::task::Task;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_core::{Revision, Scope, TenantId};
use thiserror::Error;

use super::{error::JobError, queue::JobQueue};
use crate::within_sync;

/// When something is to be done, in UTC: `sec min hour day-of-month month day-of-week`, like `0 30 3 * * *`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(cron::Schedule);

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = |error: cron::error::Error| ScheduleError { text: text.to_owned(), reason: error.to_string() };
        text.parse().map(Self).map_err(wrong)
    }
}

/// A text that is no [`Schedule`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{text}\" is no schedule (sec min hour day-of-month month day-of-week): {reason}")]
pub struct ScheduleError {
    text: String,
    reason: String,
}

/// A job, and when to queue it.
#[derive(Clone, Debug)]
pub struct Scheduled<T> {
    /// When.
    pub schedule: Schedule,
    /// What.
    pub job: T,
}

impl<T: Serialize + Send + Sync> JobQueue<T> {
    /// Queues a job for each tenant that is served whenever its time has come, for as long as the future is polled.
    ///
    /// `plan` says for a tenant what is to be queued and when, if anything; it is called in the tenant's scope, again when the tenant's
    /// record changes, and again for each job. However many processes do this at the same time, a job is queued once for
    /// each time. Times that passed while none did are made up for by one job. A tenant's first time is the first after it was
    /// seen.
    ///
    /// ```no_run
    /// # use tenantry_resource::jobs::{JobQueue, Scheduled, ScheduleError};
    /// # #[derive(serde::Serialize)] struct Digest;
    /// # async fn example(digests: JobQueue<Digest>) -> Result<(), ScheduleError> {
    /// let nightly: tenantry_resource::jobs::Schedule = "0 30 3 * * *".parse()?;
    /// digests.every("nightly", |_| Some(Scheduled { schedule: nightly.clone(), job: Digest })).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn every<F>(&self, name: &str, plan: F) -> Infallible
    where
        F: Fn(&Scope) -> Option<Scheduled<T>> + Send + Sync,
    {
        let mut known = HashMap::new();
        loop {
            known = self.look(name, &plan, known).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Looks at each tenant once. Those that are not looked at again are forgotten.
    async fn look<F>(&self, name: &str, plan: &F, mut known: HashMap<TenantId, Next>) -> HashMap<TenantId, Next>
    where
        F: Fn(&Scope) -> Option<Scheduled<T>> + Send + Sync,
    {
        let admission = &self.place.jobs.admission;
        let mut seen = HashMap::with_capacity(known.len());
        for tenant in admission.mirror().tenants() {
            let Ok(scope) = admission.admit_id(tenant.id) else { continue };
            let now = SystemTime::now();
            let next = match known.remove(&tenant.id) {
                Some(next) if next.revision == tenant.revision && !next.is_due(now) => next,
                _ => match self.tick(name, plan, &scope, now).await {
                    Ok(next) => next,
                    Err(error) => {
                        tracing::warn!(tenant.slug = %tenant.slug, schedule = name, %error, "a scheduled job was not queued yet");
                        continue;
                    }
                },
            };
            seen.insert(tenant.id, next);
        }
        seen
    }

    /// Queues the job of a tenant if its time has come.
    async fn tick<F>(&self, name: &str, plan: &F, scope: &Scope, now: SystemTime) -> Result<Next, JobError>
    where
        F: Fn(&Scope) -> Option<Scheduled<T>> + Send + Sync,
    {
        let (broker, queue) = (&self.place.jobs.broker, &*self.place.queue);
        let revision = scope.tenant().revision;
        let Some(Scheduled { schedule, job }) = within_sync(scope.clone(), || plan(scope)) else {
            return Ok(Next { revision, at: None });
        };
        let Some(last) = broker.last_tick(queue, scope.id(), name).await? else {
            broker.tick(queue, scope.id(), name, now, None).await?;
            return Ok(Next { revision, at: schedule.after(now) });
        };
        if schedule.after(last).is_none_or(|due| due > now) {
            return Ok(Next { revision, at: schedule.after(last) });
        }
        let due = schedule.last_until(now).unwrap_or(now);
        let job = self.place.new_job(scope, &Task::new(job))?;
        if broker.tick(queue, scope.id(), name, due, Some(&job)).await? {
            self.place.pushed.notify_one();
        }
        Ok(Next { revision, at: schedule.after(due) })
    }
}

/// When a tenant has to be looked at again, unless its record changes.
struct Next {
    revision: Revision,
    at: Option<SystemTime>,
}

impl Next {
    fn is_due(&self, now: SystemTime) -> bool {
        self.at.is_some_and(|at| at <= now)
    }
}

impl Schedule {
    /// The first time after this one.
    fn after(&self, time: SystemTime) -> Option<SystemTime> {
        self.0.after(&DateTime::<Utc>::from(time)).next().map(SystemTime::from)
    }

    /// The last time that is not after this one.
    fn last_until(&self, time: SystemTime) -> Option<SystemTime> {
        self.0.after(&DateTime::<Utc>::from(time + Duration::from_millis(1))).next_back().map(SystemTime::from)
    }
}

/// Times are in whole seconds.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn times_are_before_and_after() {
        let hourly: Schedule = "0 0 * * * *".parse().unwrap();
        let at = |secs| UNIX_EPOCH + Duration::from_secs(secs);
        assert_eq!(hourly.after(at(3600)), Some(at(7200)));
        assert_eq!(hourly.last_until(at(7199)), Some(at(3600)));
        assert_eq!(hourly.last_until(at(7200)), Some(at(7200)));
        let wrong = "every day".parse::<Schedule>().unwrap_err().to_string();
        assert!(wrong.starts_with("\"every day\" is no schedule"), "{wrong}");
    }
}
