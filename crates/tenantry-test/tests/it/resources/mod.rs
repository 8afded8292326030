//! The suites, on every implementation.

mod cache;
#[cfg(feature = "redis")]
mod redis;
