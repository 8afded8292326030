//! The whole, from outside; and the shape of the workspace.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "the servers of tests work for no tenant")]

mod bad_input;
mod cache;
mod conversion;
mod deployment;
mod directory;
mod edges;
mod entrance;
mod injection;
mod isolation;
mod jobs;
mod lifecycle;
mod metrics;
mod notes;
mod own_resource;
mod refused;
mod settings;
mod setup;
mod shared;
#[cfg(feature = "ldap")]
mod sign_in;
mod tidy;
mod tokens;
mod trials;
mod unscoped;
mod uploads;
mod usage;
mod websocket;
mod year;
