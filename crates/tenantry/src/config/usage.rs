//! `[usage]`: what tenants use, kept hour by hour.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::value;

/// `[usage]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct UsageSection {
    /// How often a server writes what it has counted. What a process has counted since is lost when it is killed.
    #[serde(with = "value::duration")]
    pub flush: Duration,
    /// How long an hour is kept.
    #[serde(with = "value::duration")]
    pub keep: Duration,
}

impl Default for UsageSection {
    fn default() -> Self {
        Self { flush: Duration::from_secs(60), keep: Duration::from_secs(400 * 24 * 60 * 60) }
    }
}
