//! `[jobs]`: work that is done later.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_resource::jobs::JobOptions;

use super::{place::Place, value};

/// `[jobs]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
#[non_exhaustive]
pub struct JobsSection {
    /// Where they are stored: `path = "…"`, or `url = "…"`.
    pub place: Place,
    /// How long an operation waits for a lock that another process holds, and for an answer of a server.
    pub busy_timeout: Duration,
    /// How they are run.
    pub options: JobOptions,
}

impl Default for JobsSection {
    fn default() -> Self {
        Self {
            place: Place::File("jobs.db".into()),
            busy_timeout: Duration::from_secs(5),
            options: JobOptions::default(),
        }
    }
}

/// The keys as they are written.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(with = "value::duration")]
    busy_timeout: Duration,
    #[serde(with = "value::duration")]
    lease: Duration,
    #[serde(with = "value::duration")]
    poll: Duration,
    concurrency_max: NonZeroU32,
    attempts_max: NonZeroU32,
    #[serde(with = "value::duration")]
    backoff_min: Duration,
    #[serde(with = "value::duration")]
    backoff_max: Duration,
    #[serde(with = "value::duration")]
    park: Duration,
    #[serde(with = "value::bytes")]
    payload_bytes_max: u64,
}

impl Default for Raw {
    fn default() -> Self {
        let mut raw = Self::from(JobsSection::default());
        // Either key may say where it is.
        raw.path = None;
        raw
    }
}

impl From<JobsSection> for Raw {
    fn from(section: JobsSection) -> Self {
        let JobsSection { place, busy_timeout, options } = section;
        let (path, url) = place.keys();
        let count = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            path,
            url,
            busy_timeout,
            lease: options.lease,
            poll: options.poll,
            concurrency_max: count(u32::try_from(options.concurrency_max).unwrap_or(u32::MAX)),
            attempts_max: count(options.attempts_max),
            backoff_min: options.backoff_min,
            backoff_max: options.backoff_max,
            park: options.park,
            payload_bytes_max: u64::try_from(options.payload_bytes_max).unwrap_or(u64::MAX),
        }
    }
}

impl TryFrom<Raw> for JobsSection {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let place = Place::of(raw.path, raw.url.as_deref())?.unwrap_or_else(|| Self::default().place);
        let mut options = JobOptions::default();
        options.lease = raw.lease;
        options.poll = raw.poll;
        options.concurrency_max = usize::try_from(raw.concurrency_max.get()).unwrap_or(usize::MAX);
        options.attempts_max = raw.attempts_max.get();
        options.backoff_min = raw.backoff_min;
        options.backoff_max = raw.backoff_max;
        options.park = raw.park;
        options.payload_bytes_max = usize::try_from(raw.payload_bytes_max).unwrap_or(usize::MAX);
        Ok(Self { place, busy_timeout: raw.busy_timeout, options })
    }
}
