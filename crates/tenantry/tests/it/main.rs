//! The whole, from outside; and the shape of the workspace.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod deployment;
mod edges;
mod isolation;
mod lifecycle;
mod notes;
mod tidy;
mod websocket;
