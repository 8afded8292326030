//! What any implementation of a per-tenant resource must do.
//!
//! Each suite is a function that takes the implementation, and panics where it is wrong, as a test does.
//!
//! | module | |
//! |---|---|
//! | `jobs` | stores of jobs, and the queues on them |
//! | `tenants`, `world` | two tenants to work for; the same with a catalog, to be changed as an administrator would |
//! | `uploads` | files: [`uploads`](fn@uploads), and [`uploads_in_two_worlds`] with random operations |

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a suite fails as a test does")]

pub mod jobs;
mod tenants;
mod uploads;
mod world;

pub use self::{
    tenants::two_tenants,
    uploads::{uploads, uploads_in_two_worlds},
    world::World,
};
