//! Why there are no settings, and why one cannot be set.

use tenantry_core::{CatalogError, Code, Refusal, SettingPath, Slug};
use thiserror::Error;

use super::layers::Layer;
use crate::NoScope;

/// Why there are no settings for a tenant.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No tenant's work is done here.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// What is stored is not what the application accepts.
    #[error(
        "the settings of tenant {tenant} are not valid: {path} {reason}; see where it is set, or update what sets it"
    )]
    Invalid {
        /// Whose settings.
        tenant: Slug,
        /// Which setting.
        path: String,
        /// Why the application does not accept it. It does not repeat the value.
        reason: String,
    },
    /// A secret cannot be read: it was stored for another tenant or setting, its key is gone, or somebody has changed it.
    #[error("the secret {path} of tenant {tenant} cannot be opened; set it anew, or bring the master key back")]
    Unopened {
        /// Whose secret.
        tenant: Slug,
        /// Which setting.
        path: SettingPath,
        /// Where it is set.
        layer: Layer,
    },
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        let text = error.to_string();
        match error {
            SettingsError::NoScope(_) => Self::new(Code::NoScope),
            SettingsError::Invalid { tenant, .. } | SettingsError::Unopened { tenant, .. } => {
                Self::new(Code::SettingsInvalid).for_tenant(tenant).because(text)
            }
        }
    }
}

/// Why a setting was not changed. Nothing was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingRefused {
    /// The catalog cannot store it.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The application does not accept the value.
    #[error("{path} cannot be {value}: {reason}")]
    Invalid {
        /// Which setting.
        path: String,
        /// What it would be, if it is no secret.
        value: String,
        /// Why not.
        reason: String,
    },
    /// The operating system gives no random bytes to seal a secret with.
    #[error("no secret can be sealed: {0}")]
    NoRandomness(getrandom::Error),
    /// There are secrets within the value.
    #[error("{path} has the secret {secret} in it; set what is in it one by one")]
    SecretWithin {
        /// Which setting.
        path: SettingPath,
        /// The secret.
        secret: String,
    },
    /// The application has no such setting.
    #[error("there is no setting {path}")]
    Unknown {
        /// Which setting.
        path: SettingPath,
    },
    /// The tenant's settings are not valid as they are.
    #[error(transparent)]
    Unusable(#[from] SettingsError),
}
