//! What can go wrong with jobs.

use tenantry_core::{Code, Refusal, Slug};
use thiserror::Error;

use super::broker::BrokerError;
use crate::{NoRandomness, NoScope};

/// Why a job was not queued, or the jobs not looked at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobError {
    /// No tenant's work is done here.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// The store of jobs is away.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The job cannot be written as JSON.
    #[error("the job cannot be written as JSON: {0}")]
    Unwritable(serde_json::Error),
    /// The job is too large.
    #[error("the job has {bytes} bytes, and jobs.payload_bytes_max is {max}; store it elsewhere, and queue its name")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// The tenant has as many jobs as it may.
    #[error("tenant {tenant} has as many jobs in the queue {queue} as plans.<name>.jobs_max allows, {max}")]
    Full {
        /// Whose jobs.
        tenant: Slug,
        /// The queue.
        queue: String,
        /// How many it may have.
        max: u64,
    },
    /// The operating system gives no random bytes to name a job with.
    #[error("no job can be named: {0}")]
    NoRandomness(#[from] NoRandomness),
}

impl From<JobError> for Refusal {
    fn from(error: JobError) -> Self {
        let text = error.to_string();
        match error {
            JobError::NoScope(no_scope) => no_scope.into(),
            JobError::Full { tenant, .. } => Self::new(Code::JobsFull).for_tenant(tenant).because(text),
            JobError::TooLarge { .. } | JobError::Unwritable(_) => Self::new(Code::JobRefused).because(text),
            JobError::Broker(_) | JobError::NoRandomness(_) => Self::new(Code::JobsUnavailable).because(text),
        }
    }
}
