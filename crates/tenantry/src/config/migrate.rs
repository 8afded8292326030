//! `[migrate]`: how the databases that tenants have of their own are migrated.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_control::{Canaries, Rollout};

use super::value;

/// `[migrate]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MigrateSection {
    /// How many are migrated at once.
    pub concurrency_max: NonZeroU32,
    /// How many come first, one after the other; if one of them fails, no other is tried.
    pub canaries: u32,
    /// How many have to fail before their share of all that were tried counts.
    pub failures_min: u32,
    /// Which share of those that were tried may fail, in percent.
    pub failure_percent_max: u8,
    /// How long a migration waits for a lock.
    #[serde(with = "value::duration")]
    pub lock_wait_max: Duration,
}

impl MigrateSection {
    /// All tenants that have a database of their own, in this way.
    pub fn rollout(&self) -> Rollout {
        Rollout {
            tenants: Vec::new(),
            canaries: Canaries::First(self.canaries.try_into().unwrap_or(usize::MAX)),
            concurrency: self.concurrency_max.try_into().unwrap_or(Rollout::default().concurrency),
            failures_min: self.failures_min.into(),
            failure_percent_max: self.failure_percent_max,
        }
    }
}

impl Default for MigrateSection {
    fn default() -> Self {
        Self {
            concurrency_max: NonZeroU32::MIN.saturating_add(3),
            canaries: 1,
            failures_min: 3,
            failure_percent_max: 10,
            lock_wait_max: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_the_library_has_it() {
        assert_eq!(MigrateSection::default().rollout(), Rollout::default());
    }
}
