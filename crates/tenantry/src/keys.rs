//! Where the master keys of a deployment come from.

use tenantry_resource::MasterKeys;

use crate::{OpenError, config::KeysSection};

/// The environment variable that wins over the file.
pub(crate) const VARIABLE: &str = "TENANTRY_MASTER_KEY";

/// The keys of the environment, or those of the file, which is created when it is missing.
pub(crate) fn load(section: &KeysSection) -> Result<MasterKeys, OpenError> {
    match std::env::var(VARIABLE) {
        Ok(text) => Ok(MasterKeys::parse(&text)?),
        Err(_) => Ok(MasterKeys::load_or_create(&section.file)?),
    }
}
