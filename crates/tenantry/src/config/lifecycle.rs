//! `[lifecycle]`: how tenants are looked after.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::value;

/// `[lifecycle]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LifecycleSection {
    /// How often a server goes on with operations that were abandoned, erases what is due, and looks whose end is near.
    #[serde(with = "value::duration")]
    pub sweep_every: Duration,
    /// How long a tenant that was deleted is kept before it is erased.
    #[serde(with = "value::duration")]
    pub delete_grace: Duration,
    /// How long before its end a tenant is told of, in the log and the audit log.
    #[serde(with = "value::duration")]
    pub warn_before: Duration,
    /// How long a tenant that was closed is waited for, before what it has is replaced or erased.
    #[serde(with = "value::duration")]
    pub settle: Duration,
    /// How long nobody else goes on with an operation whose worker is not heard of.
    #[serde(with = "value::duration")]
    pub lease: Duration,
}

impl Default for LifecycleSection {
    fn default() -> Self {
        Self {
            sweep_every: Duration::from_secs(60),
            delete_grace: Duration::from_secs(30 * 24 * 60 * 60),
            warn_before: Duration::from_secs(3 * 24 * 60 * 60),
            settle: Duration::from_secs(3),
            lease: Duration::from_secs(60),
        }
    }
}
