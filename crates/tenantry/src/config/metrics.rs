//! `[metrics]`: what is counted, for Prometheus.

use std::{net::SocketAddr, num::NonZeroU32};

use serde::{Deserialize, Serialize};

/// `[metrics]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MetricsSection {
    /// Where `/metrics` is served, beside the application. Nowhere unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// How many tenants are counted each by itself.
    pub tenants_max: NonZeroU32,
}

impl Default for MetricsSection {
    fn default() -> Self {
        Self { listen: None, tenants_max: NonZeroU32::MIN.saturating_add(999) }
    }
}
