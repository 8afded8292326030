//! Tests through the public door.

#![allow(clippy::panic, reason = "tests say what went wrong by panicking")]

mod alterations;
mod any_definition;
mod definitions;
mod migrations;
#[cfg(feature = "mutants")]
mod mutants;
#[cfg(feature = "postgres")]
mod postgres;
mod refusals;
mod rewriting;
mod schema;
mod triggers;
