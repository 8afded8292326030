//! What any implementation of a per-tenant resource must do.
//!
//! Each suite is a function that takes the implementation, and panics where it is wrong, as a test does.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a suite fails as a test does")]

pub mod directory;
pub mod jobs;
mod world;

pub use self::world::World;
