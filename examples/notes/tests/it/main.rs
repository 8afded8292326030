//! Tests of the whole application, over HTTP and below it.

#![allow(clippy::unwrap_used, reason = "a failed test stops where it failed")]

mod checks;
mod models;
mod mounted;
mod running;
