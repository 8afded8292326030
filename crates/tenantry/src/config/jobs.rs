//! `[jobs]`: work that is done later.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_resource::jobs::JobOptions;

use super::{ServerUrl, cache, place::Place, value};

/// `[jobs]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
#[non_exhaustive]
pub struct JobsSection {
    /// Where they are stored: `path = "…"`, or `url = "…"`.
    pub place: JobsPlace,
    /// What all keys on a Redis server begin with.
    pub prefix: String,
    /// How long an operation waits for a lock that another process holds, and for an answer of a server.
    pub busy_timeout: Duration,
    /// How they are run.
    pub options: JobOptions,
}

/// Where jobs are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobsPlace {
    /// In a file, or in a database of a server.
    Database(Place),
    /// On a Redis server: `redis://…`, or by TLS `rediss://…`.
    Redis(ServerUrl),
}

impl JobsPlace {
    /// The feature of the build that is missing, if one is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        match self {
            Self::Database(Place::File(_)) => None,
            Self::Database(Place::Server(_)) => (!cfg!(feature = "postgres")).then_some("postgres"),
            Self::Redis(url) => cache::missing(url),
        }
    }

    /// The file, if it is one.
    pub(super) const fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Database(place) => place.path_mut(),
            Self::Redis(_) => None,
        }
    }

    fn of(path: Option<PathBuf>, url: Option<&str>) -> Result<Option<Self>, String> {
        match (path, url) {
            (None, Some(url)) if url.starts_with("redis:") || url.starts_with("rediss:") => {
                ServerUrl::parse_like(url, cache::LIKE).map(Self::Redis).map(Some)
            }
            (path, url) => Place::of(path, url, &["redis"]).map(|place| place.map(Self::Database)),
        }
    }

    fn keys(self) -> (Option<PathBuf>, Option<String>) {
        match self {
            Self::Database(place) => place.keys(),
            Self::Redis(url) => (None, Some(url.to_string())),
        }
    }
}

impl From<Place> for JobsPlace {
    fn from(place: Place) -> Self {
        Self::Database(place)
    }
}

impl Default for JobsSection {
    fn default() -> Self {
        Self {
            place: Place::File("jobs.db".into()).into(),
            prefix: "tenantry".to_owned(),
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
    prefix: String,
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
        let JobsSection { place, prefix, busy_timeout, options } = section;
        let (path, url) = place.keys();
        let count = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            path,
            url,
            prefix,
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
        let place = JobsPlace::of(raw.path, raw.url.as_deref())?.unwrap_or_else(|| Self::default().place);
        let mut options = JobOptions::default();
        options.lease = raw.lease;
        options.poll = raw.poll;
        options.concurrency_max = usize::try_from(raw.concurrency_max.get()).unwrap_or(usize::MAX);
        options.attempts_max = raw.attempts_max.get();
        options.backoff_min = raw.backoff_min;
        options.backoff_max = raw.backoff_max;
        options.park = raw.park;
        options.payload_bytes_max = usize::try_from(raw.payload_bytes_max).unwrap_or(usize::MAX);
        Ok(Self { place, prefix: raw.prefix, busy_timeout: raw.busy_timeout, options })
    }
}
