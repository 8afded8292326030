//! The oracle, on stand-ins for the shared side: one that is right, and several that are wrong.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

mod catching;
mod generating;
#[cfg(feature = "mutants")]
mod mutants;
mod noise;
mod physical;
mod plans;
#[cfg(feature = "postgres")]
mod postgres;
mod resources;
mod schema;
mod scoped;
#[cfg(feature = "postgres")]
mod server;
mod shrinking;
mod stand_in;
