//! The current tenant's keys: tokens that mean nothing to another tenant, and keys for those who sign themselves.

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tenantry_core::{Code, Refusal};
use thiserror::Error;

use super::{DerivedKey, KeyHolder, MasterKeys, Purpose, Seals, derived::Use};
use crate::{NoScope, current};

/// The keys of the tenant whose scope is current.
///
/// An application that signs sessions, bearer tokens, reset links or download links with one key for all tenants is open
/// to a replay: what tenant A's user 1 was given is good for tenant B's user 1. Here, tenant and purpose are in the key. So
/// is the tenant's epoch: what was signed before a reset is void, whoever user 1 is now.
///
/// Cloning is cheap, and clones are the same.
///
/// ```
/// use std::time::Duration;
/// use tenantry_resource::{Keys, MasterKeys, Purpose, within};
/// # use std::sync::Arc;
/// # use tenantry_core::{Admission, Mirror, Plans, Tenant, TenantId};
/// # let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
/// # let admission = Admission::new(Arc::new(Mirror::from_iter([acme])), Plans::default());
/// # let scope = admission.admit_id(TenantId::new(1))?;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
///
/// const RESET: Purpose = Purpose::new("notes.example password reset");
///
/// let keys = Keys::new(MasterKeys::generate()?);
/// within(scope, async {
///     let token = keys.sign(RESET, b"user 7", Duration::from_secs(3600))?;
///     assert_eq!(keys.verify(RESET, &token)?, b"user 7");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// }).await
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Keys {
    master: MasterKeys,
}

impl Keys {
    /// Keys that are derived from these.
    pub const fn new(master: MasterKeys) -> Self {
        Self { master }
    }

    /// A token with `payload`, good at this tenant, for this purpose and this long. Whoever has it can read the payload.
    ///
    /// It is of `A`–`Z`, `a`–`z`, `0`–`9`, `-`, `_` and `.`, so it can stand in a URL, a header or a cookie as it is.
    ///
    /// # Errors
    ///
    /// [`NoScope`] outside any scope.
    pub fn sign(&self, purpose: Purpose, payload: &[u8], valid_for: Duration) -> Result<String, NoScope> {
        let valid_until = millis(SystemTime::now()).unwrap_or(0).saturating_add(saturated(valid_for));
        let body = URL_SAFE_NO_PAD.encode([&valid_until.to_be_bytes(), payload].concat());
        let seal = self.seals(purpose, (&current()?).into()).seal(VERSION.as_bytes(), body.as_bytes());
        Ok(format!("{VERSION}{}.{body}", String::from_utf8_lossy(&seal)))
    }

    /// The payload of a token that was made at this tenant, for this purpose, and whose time is not up.
    ///
    /// # Errors
    ///
    /// [`TokenError`] for every other token, and outside any scope.
    pub fn verify(&self, purpose: Purpose, token: &str) -> Result<Vec<u8>, TokenError> {
        let seals = self.seals(purpose, (&current()?).into());
        let (seal, body) = token
            .strip_prefix(VERSION)
            .and_then(|rest| rest.split_at_checked(Seals::LEN))
            .and_then(|(seal, rest)| Some((seal, rest.strip_prefix('.')?)))
            .ok_or(TokenError::NotOurs)?;
        if !seals.is_seal(seal.as_bytes(), VERSION.as_bytes(), body.as_bytes()) {
            return Err(TokenError::NotOurs);
        }
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| TokenError::NotOurs)?;
        let (valid_until, payload) = body.split_first_chunk().ok_or(TokenError::NotOurs)?;
        // A clock that cannot be read makes nothing valid.
        let now = millis(SystemTime::now()).unwrap_or(u64::MAX);
        if now < u64::from_be_bytes(*valid_until) { Ok(payload.to_vec()) } else { Err(TokenError::Expired) }
    }

    /// The tenant's own key for an application that signs by itself, for instance JWT with HS256. It has nothing in common
    /// with the keys of tokens and cookies, whatever their purpose is called.
    ///
    /// # Errors
    ///
    /// [`NoScope`] outside any scope.
    pub fn signing_key(&self, purpose: Purpose) -> Result<DerivedKey, NoScope> {
        Ok(self.master.derive_current(Use::Signing, purpose, (&current()?).into()))
    }

    /// Every key that such a signature may have been made with, the current one first. While a master key is being
    /// replaced there are two; [`DerivedKey::id`] makes a good `kid`.
    ///
    /// # Errors
    ///
    /// [`NoScope`] outside any scope.
    pub fn signing_keys(&self, purpose: Purpose) -> Result<Vec<DerivedKey>, NoScope> {
        Ok(self.master.derive_all(Use::Signing, purpose, (&current()?).into()).collect())
    }

    fn seals(&self, purpose: Purpose, holder: KeyHolder) -> Seals {
        let current = self.master.derive_current(Use::Tokens, purpose, holder);
        Seals::new(&current, self.master.derive_all(Use::Tokens, purpose, holder))
    }
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Its time is up.
    #[error("the token's time is up; make a new one")]
    Expired,
    /// The caller works for no tenant.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// It was changed, or made for another tenant or purpose, before a reset, or with a key that is gone. Which of these is not known.
    #[error(
        "the token was not made here: it is changed, of another tenant or purpose, from before a reset, or its master key is retired"
    )]
    NotOurs,
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NoScope(error) => error.into(),
            TokenError::Expired | TokenError::NotOurs => Self::new(Code::TokenInvalid).because(error.to_string()),
        }
    }
}

fn millis(time: SystemTime) -> Option<u64> {
    time.duration_since(SystemTime::UNIX_EPOCH).ok().map(saturated)
}

fn saturated(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What every token begins with; another format gets another number.
const VERSION: &str = "k1.";
