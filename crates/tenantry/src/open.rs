//! Why a deployment cannot be opened.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use tenantry_core::{CatalogError, UsageError};
use tenantry_resource::{KeyFileError, MasterKeysError, directory::LocalUserError, jobs::BrokerError};
use thiserror::Error;

use crate::{config::ConfigError, resolver::ResolverError};

/// Why a deployment cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The catalog cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store of jobs cannot be used.
    #[error(transparent)]
    Jobs(#[from] BrokerError),
    /// The file with the master keys cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The environment variable with the master keys cannot be used.
    #[error("the environment variable {variable} has no master keys", variable = crate::keys::VARIABLE)]
    KeyVariable(#[from] MasterKeysError),
    /// The folder with the application's migrations cannot be read.
    #[error("the migrations in {}, which database.migrations names, cannot be read", folder.display())]
    Migrations {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: MigrateError,
    },
    /// The application's settings have a shape that cannot be written as JSON.
    #[error("the application's settings cannot be written as JSON")]
    Settings(#[from] serde_json::Error),
    /// The store of what tenants have used cannot be used.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The store of local users cannot be used, or their passwords cannot be hashed as the configuration says.
    #[error(transparent)]
    Users(#[from] LocalUserError),
    /// What the configuration says about resolving cannot be used.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
}
