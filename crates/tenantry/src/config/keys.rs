//! `[keys]`: where the master keys are.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[keys]`. The environment variable `TENANTRY_MASTER_KEY` wins over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct KeysSection {
    /// The file with the master keys.
    pub file: PathBuf,
}

impl Default for KeysSection {
    fn default() -> Self {
        Self { file: "tenantry.key".into() }
    }
}
