//! `[archive]`: what a file that becomes a tenant may ask for.

use serde::{Deserialize, Serialize};
use tenantry_control::archive::ReadLimits;

use super::value;

/// `[archive]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ArchiveSection {
    /// How large its header and its settings may be, each.
    #[serde(with = "value::bytes")]
    pub header_bytes_max: u64,
    /// How large one part of its rows may be, which is in memory as a whole.
    #[serde(with = "value::bytes")]
    pub rows_bytes_max: u64,
    /// How large everything in it may be together, unpacked.
    #[serde(with = "value::bytes")]
    pub unpacked_bytes_max: u64,
    /// How many uploads it may have.
    pub uploads_max: u64,
}

impl ArchiveSection {
    /// What is looked at when one is read.
    pub fn limits(&self) -> ReadLimits {
        let mut limits = ReadLimits::default();
        limits.header_bytes_max = self.header_bytes_max;
        limits.rows_bytes_max = self.rows_bytes_max;
        limits.unpacked_bytes_max = self.unpacked_bytes_max;
        limits.uploads_max = self.uploads_max;
        limits
    }
}

impl Default for ArchiveSection {
    fn default() -> Self {
        let ReadLimits { header_bytes_max, rows_bytes_max, unpacked_bytes_max, uploads_max, .. } =
            ReadLimits::default();
        Self { header_bytes_max, rows_bytes_max, unpacked_bytes_max, uploads_max }
    }
}
