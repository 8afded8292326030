//! The beginning of each tenant's keys.

use std::{fmt, str::FromStr, sync::Arc};

use tenantry_core::TenantId;
use thiserror::Error;

/// What keys of a deployment begin with, 1 to 63 letters, digits, `-`, `_`, `.` and `:`. Deployments that share a server have
/// different ones. `tenantry` by default.
///
/// A tenant's keys are `{tenantry:42}:…`. What is in the braces decides where a cluster keeps a key, so that all keys of a
/// tenant are together, and a command or a script can have several of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(Arc<str>);

/// What a key of a tenant is for.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// A value of its cache.
    Cached,
    /// Which generation of its cache is the present one.
    Generation,
    /// A key of the application's own.
    Own,
}

impl KeyPrefix {
    /// The key that begins with the tenant and the part, and goes on as `rest`: whatever is in that, it cannot be a key of
    /// another tenant.
    pub(crate) fn key(&self, tenant: TenantId, part: Part, rest: &[u8]) -> Vec<u8> {
        let mut digits = Digits::default();
        let digits = digits.of(tenant.get());
        let part: &[u8] = match part {
            Part::Cached => b"}:c:",
            Part::Generation => b"}:g",
            Part::Own => b"}:r:",
        };
        [b"{", self.0.as_bytes(), b":", digits, part, rest].concat()
    }

    /// What all keys of the tenant look like, as `SCAN` takes it.
    pub(crate) fn pattern(&self, tenant: TenantId) -> String {
        // A prefix has no character that is more than itself in there.
        format!("{{{self}:{tenant}}}:*")
    }

    /// What keys of the jobs of all tenants begin with. It is no tenant's, since those have a number there.
    #[cfg(feature = "jobs")]
    pub(crate) fn of_jobs(&self) -> String {
        format!("{{{self}:jobs}}:")
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Room for the digits of a number.
#[derive(Default)]
struct Digits {
    bytes: [u8; 20],
    len: usize,
}

impl Digits {
    fn of(&mut self, number: i64) -> &[u8] {
        use std::io::Write;

        let mut room = &mut self.bytes[..];
        // An i64 never has more than 20 characters.
        let fits = write!(room, "{number}").is_ok();
        self.len = if fits { 20 - room.len() } else { 0 };
        &self.bytes[..self.len]
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self("tenantry".into())
    }
}

impl FromStr for KeyPrefix {
    type Err = KeyPrefixError;

    fn from_str(text: &str) -> Result<Self, KeyPrefixError> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
        if matches!(text.len(), 1..=63) && plain { Ok(Self(text.into())) } else { Err(KeyPrefixError(())) }
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is no [`KeyPrefix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it has 1 to 63 letters, digits, hyphens, underscores, dots and colons")]
pub struct KeyPrefixError(());
