//! Why a catalog could not do what it was asked.

use std::error::Error;

use thiserror::Error;

use crate::{Code, OperationId, OverridesTooLarge, Refusal, Slug, TenantId};

/// Why a catalog could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Something is being done to the tenant that needs its record.
    #[error("tenant {id} is in the middle of an operation: {verb}, number {operation}; let it come to its end first")]
    Busy {
        /// Its id.
        id: TenantId,
        /// What is being done.
        verb: String,
        /// The operation.
        operation: OperationId,
    },
    /// Somebody else has changed the tenant's record meanwhile.
    #[error("tenant {id} was changed meanwhile; look at it again")]
    Changed {
        /// Its id.
        id: TenantId,
    },
    /// Other tenants have their settings from this one.
    #[error("tenant {id} is the template of others; give them another one first")]
    IsTemplate {
        /// Its id.
        id: TenantId,
    },
    /// What is stored is not what a catalog stores.
    #[error("the catalog {place} is damaged: {detail}")]
    Corrupt {
        /// Which catalog.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Another tenant has this name.
    #[error("the name {slug} is taken")]
    NameTaken {
        /// The name.
        slug: Slug,
    },
    /// There is no such tenant.
    #[error("there is no tenant {id}")]
    NotFound {
        /// The id that was asked for.
        id: TenantId,
    },
    /// More would be set for a tenant than may be.
    #[error(transparent)]
    SettingsTooLarge(#[from] OverridesTooLarge),
    /// The store does not answer.
    #[error("the catalog {place} is not available")]
    Unavailable {
        /// Which catalog.
        place: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl CatalogError {
    /// The code of the refusal that this is.
    pub const fn code(&self) -> Code {
        match self {
            Self::Busy { .. } => Code::OperationRunning,
            Self::NameTaken { .. } => Code::TenantExists,
            Self::NotFound { .. } => Code::TenantUnknown,
            Self::Changed { .. } | Self::IsTemplate { .. } => Code::TenantChanged,
            Self::SettingsTooLarge(_) => Code::SettingRefused,
            Self::Corrupt { .. } | Self::Unavailable { .. } => Code::CatalogUnavailable,
        }
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            CatalogError::NameTaken { slug } => refusal.for_tenant(slug),
            CatalogError::Unavailable { ref source, .. } => refusal.because(format!("{error}: {source}")),
            _ => refusal.because(error.to_string()),
        }
    }
}
