//! Tests of the whole application, over HTTP and below it.

#![allow(clippy::unwrap_used, reason = "a failed test stops where it failed")]

mod checks;
mod database;
mod directory;
mod jobs;
mod models;
mod mounted;
#[cfg_attr(feature = "postgres", path = "postgres/place.rs")]
mod place;
mod running;
#[cfg(feature = "postgres")]
mod texts;
mod together;
