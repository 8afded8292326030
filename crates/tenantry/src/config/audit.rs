//! `[audit]`: what is written to the audit log besides changes.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

use super::value;

/// `[audit]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AuditSection {
    /// How often at most work without a scope is written of one place in the source and one tenant: at once the first time, and
    /// then how many times it was.
    #[serde(with = "value::duration")]
    pub unscoped_every: Duration,
    /// Of how many of these a process keeps account.
    pub unscoped_max: NonZeroU32,
}

impl Default for AuditSection {
    fn default() -> Self {
        Self { unscoped_every: Duration::from_secs(60 * 60), unscoped_max: NonZeroU32::MIN.saturating_add(999) }
    }
}
