//! Jobs that run later, each for its tenant, on [apalis](https://docs.rs/apalis).
//!
//! A [`JobQueue`] takes the place of one of apalis' storages: jobs are pushed to it in the scope of a tenant, and apalis'
//! workers take them from it. What is different:
//!
//! 1. The tenant travels with the job, under a signature of its own key, and is admitted again when the job runs: the
//!    handler runs in its scope. Jobs of a tenant that is not served wait; those of one that is gone are dropped and counted.
//! 2. Tenants take turns. However many jobs a tenant has, another one's runs next.
//! 3. A worker takes one job at a time, when it is ready to run it, on a lease. When the worker is killed, the lease ends,
//!    and the job runs again and is told so ([`Delivery::lost`]).
//! 4. A job that fails runs again later, each time after a longer wait; after its last attempt it is kept as a dead letter.
//!
//! | module | what it has |
//! |---|---|
//! | `broker` | [`Broker`], what any store of jobs must be able to do; `tenantry-sqlx` has others |
//! | `handle` | [`Jobs`], all queues of a deployment |
//! | `queue` | [`JobQueue`], which jobs are pushed to |
//! | `push` | a job on its way to the broker |
//! | `backend` | the same queue, as apalis' workers take jobs from it |
//! | `fetch` | the next job: taken, admitted, checked |
//! | `run` | the layer around handlers: the scope, and what becomes of the job |
//! | `worker` | a worker, and what it has |
//! | `keeper` | what goes on while a worker is there: leases, and jobs whose time has come |
//! | `schedule` | jobs that come again and again, for each tenant |
//! | `envelope` | the signature |
//! | `plane` | jobs, as what looks after a tenant's life sees them |
//! | `on_redis` | `RedisJobs`, a broker on a Redis server (feature `redis`) |
//! | `options` | limits and times |
//! | `error` | what can go wrong |

mod backend;
mod broker;
mod envelope;
mod error;
mod fetch;
mod handle;
mod keeper;
#[cfg(feature = "redis")]
mod on_redis;
mod options;
mod plane;
mod push;
mod queue;
mod run;
mod schedule;
mod worker;

#[cfg(feature = "redis")]
pub use self::on_redis::RedisJobs;
pub use self::{
    broker::{Broker, BrokerError, Counts, DeadJob, Envelope, Held, NewJob, Outcome, Pushed, Taken, Tended},
    error::JobError,
    handle::Jobs,
    options::JobOptions,
    plane::JobsPlane,
    queue::JobQueue,
    run::{Delivery, RunLayer, RunService},
    schedule::{Schedule, ScheduleError, Scheduled},
};
