//! Limits and times of jobs.

use std::time::Duration;

/// How jobs are run. The knobs are `jobs.<name>` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobOptions {
    /// How long a worker that says nothing keeps what it has taken. Default 30 seconds.
    pub lease: Duration,
    /// How often to look for jobs that others have pushed, or whose time has come. Default 250 milliseconds.
    pub poll: Duration,
    /// How many jobs a worker runs at once, unless it has a layer that says less. Default 16.
    pub concurrency_max: usize,
    /// How often a job is run before it is given up, unless it says otherwise. Default 25.
    pub attempts_max: u32,
    /// How long a job waits after its first failure; it doubles from one to the next. Default 1 second.
    pub backoff_min: Duration,
    /// How long it waits at most. Default 1 hour.
    pub backoff_max: Duration,
    /// How long jobs of a tenant that is not served wait before they are looked at again. Default 2 seconds.
    pub park: Duration,
    /// How large a job may be, in bytes of JSON. Default 256 KiB.
    pub payload_bytes_max: usize,
}

impl JobOptions {
    /// How long a job waits after this many attempts.
    pub(super) fn backoff(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.backoff_min.saturating_mul(1 << doublings).min(self.backoff_max)
    }

    /// How often a worker says that it is there: so that it can miss two times.
    pub(super) fn tend_every(&self) -> Duration {
        (self.lease / 3).min(self.poll).max(Duration::from_millis(10))
    }
}

impl Default for JobOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(250),
            concurrency_max: 16,
            attempts_max: 25,
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60 * 60),
            park: Duration::from_secs(2),
            payload_bytes_max: 256 * 1024,
        }
    }
}
