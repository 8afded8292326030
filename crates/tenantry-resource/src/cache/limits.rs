//! How long keys and values may be, and how long they may live.

use std::time::Duration;

use tenantry_core::Scope;

use super::CacheError;

/// What one key and one value may be. The knobs are `cache.<name>` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Bytes of a key. Default 1024.
    pub key_bytes_max: usize,
    /// Bytes of a value, as it is stored. Default 1 MiB.
    pub value_bytes_max: usize,
    /// The longest time to live. Default 30 days, and never more than [`CacheLimits::TTL_CEILING`].
    pub ttl_max: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { key_bytes_max: 1024, value_bytes_max: 1 << 20, ttl_max: Duration::from_secs(30 * 24 * 60 * 60) }
    }
}

impl CacheLimits {
    /// Ten years, which every clock can count.
    pub const TTL_CEILING: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

    /// How long a value may live.
    pub(super) fn ttl_max(&self) -> Duration {
        self.ttl_max.min(Self::TTL_CEILING)
    }

    pub(super) fn check_key(&self, scope: &Scope, key: &str) -> Result<(), CacheError> {
        let (bytes, max) = (key.len(), self.key_bytes_max);
        match bytes {
            0 => Err(CacheError::KeyEmpty { tenant: scope.slug().clone() }),
            _ if bytes > max => Err(CacheError::KeyTooLong { tenant: scope.slug().clone(), bytes, max }),
            _ => Ok(()),
        }
    }

    pub(super) fn check_value(&self, scope: &Scope, value: &[u8]) -> Result<(), CacheError> {
        let (bytes, max) = (value.len(), self.value_bytes_max);
        if bytes <= max {
            return Ok(());
        }
        Err(CacheError::ValueTooLarge { tenant: scope.slug().clone(), bytes, max })
    }

    pub(super) fn check_ttl(&self, scope: &Scope, ttl: Duration) -> Result<(), CacheError> {
        if !ttl.is_zero() && ttl <= self.ttl_max() {
            return Ok(());
        }
        Err(CacheError::Ttl { tenant: scope.slug().clone(), ttl, max: self.ttl_max() })
    }
}
