//! A command that cannot be confined to a tenant.

use redis::{ErrorKind, RedisError};
use tenantry_core::{Code, Refusal, Slug};
use thiserror::Error;

/// A command that cannot be confined to a tenant's keys. It was not sent.
///
/// It reaches the application as a `redis::RedisError` of the kind `ErrorKind::Client`, with the same text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Redis command {command} of tenant {tenant} is refused: {reason}")]
#[non_exhaustive]
pub struct RedisRefused {
    /// Whose command.
    pub tenant: Slug,
    /// Its name, in capitals.
    pub command: String,
    /// Why it is refused, and what to do instead.
    pub reason: &'static str,
}

impl RedisRefused {
    /// A name is shown as far as it can be one: what an application sends by mistake may be anything.
    pub(super) fn new(tenant: &Slug, command: &[u8], reason: &'static str) -> Self {
        const SHOWN_MAX: usize = 32;
        let plain = command.iter().take(SHOWN_MAX).take_while(|b| b.is_ascii_alphanumeric() || b"-._".contains(b));
        let command = plain.map(|b| char::from(b.to_ascii_uppercase())).collect();
        Self { tenant: tenant.clone(), command, reason }
    }
}

impl From<RedisRefused> for RedisError {
    fn from(refused: RedisRefused) -> Self {
        (ErrorKind::Client, "refused", refused.to_string()).into()
    }
}

impl From<RedisRefused> for Refusal {
    fn from(refused: RedisRefused) -> Self {
        Self::new(Code::CacheRefused).for_tenant(refused.tenant.clone()).because(refused.to_string())
    }
}
