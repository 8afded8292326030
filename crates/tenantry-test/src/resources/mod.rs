//! What every implementation of a per-tenant resource has to do, whichever server is behind it.
//!
//! A suite takes a closure that makes a handle. It panics where the implementation is not as it should be, and answers with
//! the handle's error where that fails.

pub mod cache;
#[cfg(feature = "redis")]
pub mod redis;
mod tenants;

pub use self::tenants::{Two, two};
