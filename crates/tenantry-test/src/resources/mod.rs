//! What any implementation of a per-tenant resource must do, whichever server is behind it.
//!
//! Each suite is a function that takes the implementation, and panics where it is wrong, as a test does.
//!
//! | module | |
//! |---|---|
//! | `cache` | caches, in memory or on a server |
//! | `directory` | directories of people: local users, or a server that speaks LDAP |
//! | `jobs` | stores of jobs, and the queues on them |
//! | `redis` | the handle for applications that speak Redis themselves (feature `redis`) |
//! | `settings` | settings of an application: [`settings`](fn@settings::settings), and random changes |
//! | `tenants`, `world` | two tenants to work for; the same with a catalog, to be changed as an administrator would |
//! | `uploads` | files: [`uploads`](fn@uploads), and [`uploads_in_two_worlds`] with random operations |

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a suite fails as a test does")]

pub mod cache;
pub mod directory;
pub mod jobs;
#[cfg(feature = "redis")]
pub mod redis;
pub mod settings;
mod tenants;
mod uploads;
mod world;

pub use self::{
    tenants::{Two, two, two_tenants},
    uploads::{uploads, uploads_in_two_worlds},
    world::World,
};
