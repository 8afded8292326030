//! Why a directory gave no answer.

use std::time::Duration;

use tenantry_core::{Code, Refusal, Slug};
use thiserror::Error;

use super::local::{LocalUserError, UserStoreError};
use crate::{NoScope, settings::SettingsError};

/// Why a directory gave no answer. That somebody is unknown, or has another password, is an answer.
///
/// None of these repeats a password, or says whether somebody is known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// No tenant's work is done here.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// The tenant is no longer served.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The tenant's settings are not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The settings name a directory that cannot be used as they say.
    #[error(
        "the directory of tenant {tenant} cannot be used: {reason}; change it with `tenantry settings set {tenant}`"
    )]
    Misconfigured {
        /// Whose directory.
        tenant: Slug,
        /// What is wrong, and with which setting.
        reason: String,
    },
    /// The server does not answer, or not as it should.
    #[error("the directory of tenant {tenant} at {host} does not answer: {reason}; next try in {} ms", retry_in.as_millis())]
    Unavailable {
        /// Whose directory.
        tenant: Slug,
        /// Where it is.
        host: String,
        /// What happened.
        reason: String,
        /// How long it is left alone.
        retry_in: Duration,
    },
    /// Too much is asked of it at once.
    #[error("the directory of tenant {tenant} is busy: {limit} allows {max}")]
    Busy {
        /// Whose directory.
        tenant: Slug,
        /// The limit that says so.
        limit: &'static str,
        /// What it allows.
        max: u64,
    },
    /// The local store does not do what was asked.
    #[error(transparent)]
    Store(#[from] UserStoreError),
    /// A password cannot be checked.
    #[error(transparent)]
    Local(LocalUserError),
}

impl From<LocalUserError> for DirectoryError {
    fn from(error: LocalUserError) -> Self {
        match error {
            LocalUserError::NoScope(no_scope) => no_scope.into(),
            LocalUserError::Store(error) => error.into(),
            LocalUserError::Busy { tenant, limit, max } => Self::Busy { tenant, limit, max },
            error => Self::Local(error),
        }
    }
}

impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        const SOON: Duration = Duration::from_secs(1);
        let text = error.to_string();
        match error {
            DirectoryError::NoScope(no_scope) => no_scope.into(),
            DirectoryError::Refused(refusal) => refusal,
            DirectoryError::Settings(error) => error.into(),
            DirectoryError::Misconfigured { tenant, .. } => {
                Self::new(Code::DirectoryMisconfigured).for_tenant(tenant).because(text)
            }
            DirectoryError::Unavailable { tenant, retry_in, .. } => {
                Self::new(Code::DirectoryUnavailable).for_tenant(tenant).because(text).retry_after(retry_in)
            }
            DirectoryError::Busy { tenant, .. } => {
                Self::new(Code::DirectoryBusy).for_tenant(tenant).because(text).retry_after(SOON)
            }
            DirectoryError::Store(_) | DirectoryError::Local(_) => {
                Self::new(Code::DirectoryUnavailable).because(text).retry_after(SOON)
            }
        }
    }
}
