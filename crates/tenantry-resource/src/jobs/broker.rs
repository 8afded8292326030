//! What any store of jobs must be able to do.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use tenantry_core::{BoxFuture, TenantId};
use thiserror::Error;

/// A durable store of jobs, which several processes may share. `tenantry-sqlx` has implementations, and `RedisJobs` is one.
///
/// What an implementation promises:
/// 1. Each change takes effect whole or not at all.
/// 2. A job that is taken belongs to that attempt until it is finished, or until its lease ends and [`Broker::tend`] makes it
///    ready again. Nothing else removes or changes it but [`Broker::forget`].
/// 3. [`Broker::take`] is fair among the tenants that have ready jobs: it counts each job as one unit of work, and takes
///    that of the tenant whose next unit begins first (start-time fair queueing: Goyal, Vin and Cheng, "Start-time Fair
///    Queueing", SIGCOMM 1996). A tenant that comes anew begins where the others are, neither before nor behind them.
/// 4. Within a tenant, the highest priority comes first, then what was pushed first.
/// 5. How long a call takes does not depend on how many jobs there are, but for [`Broker::forget`], which takes as long as
///    the tenant has jobs.
pub trait Broker: Send + Sync + 'static {
    /// Adds jobs of one tenant, all of them or none. Those whose unique key an unfinished job of the tenant has in this
    /// queue are left out. None is added if the tenant would have more than `jobs_max` jobs in the queue.
    fn push<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        jobs: &'a [NewJob],
        jobs_max: Option<u64>,
    ) -> BoxFuture<'a, Result<Pushed, BrokerError>>;

    /// Takes the next ready job of the tenant whose turn it is. `by` names the attempt; whoever would mistake one attempt for
    /// another gives each a name that no other has.
    fn take<'a>(
        &'a self,
        queue: &'a str,
        by: &'a str,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Option<Taken>, BrokerError>>;

    /// Says what became of a job in the attempt of this name. Answers with false, and changes nothing, when that attempt is
    /// over: its lease has ended, or it was finished already. So it does no harm to say it again after an error, whoever has
    /// taken the job meanwhile.
    fn finish<'a>(&'a self, by: &'a str, id: &'a str, outcome: &'a Outcome)
    -> BoxFuture<'a, Result<bool, BrokerError>>;

    /// Extends the leases of the attempts `held` that are not over, and makes jobs ready whose time has come, whose lease has
    /// ended or whose tenant was parked long enough. Called every now and then.
    fn tend<'a>(
        &'a self,
        queue: &'a str,
        held: &'a [Held],
        lease: Duration,
    ) -> BoxFuture<'a, Result<Tended, BrokerError>>;

    /// Takes no jobs of this tenant from the queue for a while.
    fn park<'a>(&'a self, queue: &'a str, tenant: TenantId, time: Duration) -> BoxFuture<'a, Result<(), BrokerError>>;

    /// Adds a job for this tick of a schedule, unless this one or a later one has had its job. With no job, remembers the
    /// tick only. Says whether this call was the first.
    fn tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
        tick: SystemTime,
        job: Option<&'a NewJob>,
    ) -> BoxFuture<'a, Result<bool, BrokerError>>;

    /// The last tick of a schedule that was remembered.
    fn last_tick<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        schedule: &'a str,
    ) -> BoxFuture<'a, Result<Option<SystemTime>, BrokerError>>;

    /// Drops everything of a tenant, in all queues, and says how many jobs it had.
    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, BrokerError>>;

    /// How many jobs a tenant has, by queue.
    fn counts(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Counts>, BrokerError>>;

    /// At most `limit` dead letters of a tenant, those that were pushed first.
    fn dead<'a>(
        &'a self,
        queue: &'a str,
        tenant: TenantId,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<DeadJob>, BrokerError>>;

    /// Makes a dead letter of the tenant ready again, as if it were new. Says whether there was one.
    fn revive<'a>(&'a self, queue: &'a str, tenant: TenantId, id: &'a str) -> BoxFuture<'a, Result<bool, BrokerError>>;

    /// Removes a dead letter of the tenant. Says whether there was one.
    fn discard<'a>(&'a self, queue: &'a str, tenant: TenantId, id: &'a str)
    -> BoxFuture<'a, Result<bool, BrokerError>>;
}

/// A job to be added.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its name, which no other job has.
    pub id: String,
    /// How long it is to wait at least.
    pub delay: Duration,
    /// Jobs with a higher one come first.
    pub priority: i64,
    /// How often it is run before it is given up.
    pub attempts_max: u32,
    /// No two unfinished jobs of a tenant in a queue have the same.
    pub unique_key: Option<String>,
    /// What it is.
    pub envelope: Envelope,
}

/// A job as it is stored, opaque to the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The job itself.
    pub payload: Vec<u8>,
    /// What apalis and layers have noted.
    pub metadata: String,
    /// The signature of both, and of the job's id, queue and tenant.
    pub signature: Vec<u8>,
}

/// Neither the payload nor the signature is for logs.
impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Envelope({} bytes)", self.payload.len())
    }
}

/// What became of [`Broker::push`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// So many jobs were added; the others are there already.
    Added(u64),
    /// The tenant has as many as it may.
    Full,
}

/// A job that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The name of the job.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// How often it was taken, this time included.
    pub attempt: u32,
    /// How many of the attempts before ended without a word, so that nobody knows how far they got.
    pub lost: u32,
    /// How often it is run before it is given up.
    pub attempts_max: u32,
    /// Jobs with a higher one come first.
    pub priority: i64,
    /// What it is.
    pub envelope: Envelope,
}

/// A job that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The name of the job.
    pub id: String,
    /// By what name it was taken.
    pub by: String,
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and can be forgotten.
    Done,
    /// It failed, and is to run again.
    Again {
        /// How long it is to wait at least.
        delay: Duration,
        /// Why it failed.
        failure: String,
    },
    /// It failed, and is kept as a dead letter.
    Dead {
        /// Why it failed.
        failure: String,
    },
    /// It was not run: as if it had never been taken.
    Returned,
}

/// What [`Broker::tend`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// How many jobs are ready whose time had come.
    pub due: u64,
    /// How many jobs are ready again since their lease had ended.
    pub lost: u64,
    /// How many jobs are dead letters since their lease had ended in the last attempt.
    pub dead: u64,
}

/// How many jobs a tenant has in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The queue.
    pub queue: String,
    /// Ready to run, or waiting for their time.
    pub waiting: u64,
    /// Taken by workers.
    pub running: u64,
    /// Given up.
    pub dead: u64,
}

/// A dead letter.
#[derive(Clone, Debug)]
pub struct DeadJob {
    /// The name of the job.
    pub id: String,
    /// How often it was taken.
    pub attempts: u32,
    /// Why it failed in the end.
    pub failure: String,
    /// What it is.
    pub envelope: Envelope,
}

/// The store of jobs does not do what was asked. Nothing has changed.
#[derive(Debug, Error)]
#[error("the jobs are not available ({place})")]
pub struct BrokerError {
    /// Where the jobs are, without passwords.
    pub place: String,
    /// Why not.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}
