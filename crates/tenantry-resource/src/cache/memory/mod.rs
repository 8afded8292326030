//! A cache in memory for each tenant, with a budget of its own.

mod caches;
mod own;

pub use self::caches::MemoryOptions;
pub(super) use self::{caches::Memory, own::Own};
