//! The ambient scope and per-tenant resources, from outside.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod ambient;
mod keys;
mod logs;
mod per_tenant;
#[cfg(feature = "settings")]
mod settings;
mod tenants;
