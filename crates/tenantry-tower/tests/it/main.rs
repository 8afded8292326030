//! The layers, from outside.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod claim;
mod dispatching;
mod limiting;
mod mount;
mod resolving;
mod seal;
mod world;
