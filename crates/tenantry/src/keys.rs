//! Where the master keys of a deployment come from.

use tenantry_resource::{KeyFileError, MasterKeys};

use crate::{OpenError, config::KeysSection};

/// The environment variable that wins over the file.
pub(crate) const VARIABLE: &str = "TENANTRY_MASTER_KEY";

/// Keys for whoever makes nothing: those that there are, or some that nobody else ever has.
pub(crate) fn load_or_draw(section: &KeysSection) -> Result<MasterKeys, OpenError> {
    if std::env::var_os(VARIABLE).is_none() && !section.file.exists() {
        return Ok(MasterKeys::generate().map_err(KeyFileError::from)?);
    }
    load(section)
}

/// The keys of the environment, or those of the file, which is created when it is missing.
pub(crate) fn load(section: &KeysSection) -> Result<MasterKeys, OpenError> {
    match std::env::var(VARIABLE) {
        Ok(text) => Ok(MasterKeys::parse(&text)?),
        Err(_) => Ok(MasterKeys::load_or_create(&section.file)?),
    }
}
