//! Why the cache declines, or fails.

use std::time::Duration;

use tenantry_core::{Code, Refusal, Slug};
use thiserror::Error;

use crate::{BoxError, NoScope};

/// Why the cache declines, or fails. No message has a key or a value in it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// No tenant's work is done here.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// A key without a character.
    #[error("a cache key of tenant {tenant} is empty; give it a name")]
    KeyEmpty {
        /// Whose key.
        tenant: Slug,
    },
    /// A key that is too long.
    #[error(
        "a cache key of tenant {tenant} has {bytes} bytes, and cache.key_bytes_max allows {max}; hash what it is made of"
    )]
    KeyTooLong {
        /// Whose key.
        tenant: Slug,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// What would be incremented is no number.
    #[error(
        "a cached value of tenant {tenant} is no integer and cannot be incremented; use another key for the counter"
    )]
    NotANumber {
        /// Whose value.
        tenant: Slug,
    },
    /// A counter would leave the range of an `i64`. It is what it was.
    #[error("a counter of tenant {tenant} in the cache would be more than 64 bits hold; delete it to begin anew")]
    Overflow {
        /// Whose counter.
        tenant: Slug,
    },
    /// A time to live that is none, or is too long.
    #[error(
        "tenant {tenant} would cache something for {ttl:?}; it is more than nothing and at most cache.ttl_max, {max:?}"
    )]
    Ttl {
        /// Whose value.
        tenant: Slug,
        /// How long it would live.
        ttl: Duration,
        /// How long it may.
        max: Duration,
    },
    /// The server does not answer, or cannot do what is asked.
    #[error("the cache of tenant {tenant} is not available; see the server at cache.url")]
    Unavailable {
        /// Whose cache.
        tenant: Slug,
        /// What the server or the connection says.
        source: BoxError,
    },
    /// A cached value is not of the type that is asked for.
    #[error(
        "a cached value of tenant {tenant} is not what is asked for; use another key for another type, or clear it"
    )]
    Unreadable {
        /// Whose value.
        tenant: Slug,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// A value cannot be written as JSON.
    #[error("a value of tenant {tenant} cannot be written as JSON, which is how it would be cached")]
    Unwritable {
        /// Whose value.
        tenant: Slug,
        /// Why not.
        source: serde_json::Error,
    },
    /// A value that is too large.
    #[error(
        "a value of tenant {tenant} has {bytes} bytes, and cache.value_bytes_max allows {max}; cache parts of it, or raise it"
    )]
    ValueTooLarge {
        /// Whose value.
        tenant: Slug,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
}

impl CacheError {
    /// Whose work it was, where there was a scope.
    pub const fn tenant(&self) -> Option<&Slug> {
        match self {
            Self::NoScope(_) => None,
            Self::KeyEmpty { tenant }
            | Self::KeyTooLong { tenant, .. }
            | Self::NotANumber { tenant }
            | Self::Overflow { tenant }
            | Self::Ttl { tenant, .. }
            | Self::Unavailable { tenant, .. }
            | Self::Unreadable { tenant, .. }
            | Self::Unwritable { tenant, .. }
            | Self::ValueTooLarge { tenant, .. } => Some(tenant),
        }
    }
}

impl From<CacheError> for Refusal {
    fn from(error: CacheError) -> Self {
        let code = match &error {
            CacheError::NoScope(_) => Code::NoScope,
            CacheError::Unavailable { .. } => Code::CacheUnavailable,
            _ => Code::CacheRefused,
        };
        match error.tenant() {
            Some(tenant) => Self::new(code).for_tenant(tenant.clone()).because(error.to_string()),
            None => Self::new(code),
        }
    }
}
