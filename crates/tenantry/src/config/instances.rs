//! `[instances]`: how many applications live, and how long.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

use super::value;

/// `[instances]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InstancesSection {
    /// Applications that are in memory at once.
    pub live_max: NonZeroU32,
    /// How long one stays without requests.
    #[serde(with = "value::duration")]
    pub idle: Duration,
    /// How long it may take to build one.
    #[serde(with = "value::duration")]
    pub build_timeout: Duration,
    /// Requests that wait for the same one to be built.
    pub waiters_max: NonZeroU32,
    /// The first wait after a build has failed; each further one is twice as long.
    #[serde(with = "value::duration")]
    pub backoff_min: Duration,
    /// The longest such wait.
    #[serde(with = "value::duration")]
    pub backoff_max: Duration,
    /// How long requests under way may take when the process stops.
    #[serde(with = "value::duration")]
    pub drain_timeout: Duration,
}

impl Default for InstancesSection {
    fn default() -> Self {
        Self {
            live_max: NonZeroU32::MIN.saturating_add(999),
            idle: Duration::from_secs(15 * 60),
            build_timeout: Duration::from_secs(30),
            waiters_max: NonZeroU32::MIN.saturating_add(1023),
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
