//! Per-tenant resources, and the ambient scope that says whose.
//!
//! * [`within`] binds a [`tenantry_core::Scope`] to a task, [`current`] reads it, [`spawn`] takes it to a new task.
//! * [`PerTenant`] is a handle that yields the current tenant's own resource: a connection pool, a mailer, a whole
//!   application.
//! * `Settings` (feature `settings`) are the application's own struct, filled in for each tenant.
//! * `JobQueue` (feature `jobs`) holds jobs that run later, in the scope of their tenant.
//! * `Directory` (feature `directory`, and `ldap` for servers) signs people in, in the directory of their tenant.
//! * `Uploads` (feature `uploads`) are each tenant's files, in a folder or a bucket.
//! * [`MasterKeys`] are the deployment's secret, from which every tenant gets keys of its own; [`Keys`] are the current
//!   tenant's.
//! * `Cache` (feature `cache`) is a cache of the tenant's own, in memory or on Redis (feature `redis`, with `ScopedRedis` for
//!   applications that speak Redis themselves).
//!
//! Without a scope, every handle refuses; nothing falls back to a tenant by default.

mod ambient;
#[cfg(feature = "cache")]
pub mod cache;
#[cfg(feature = "directory")]
pub mod directory;
#[cfg(feature = "jobs")]
pub mod jobs;
mod keys;
mod per_tenant;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "settings")]
pub mod settings;
#[cfg(feature = "uploads")]
pub mod uploads;

pub use self::{
    ambient::{NoScope, Within, current, spawn, spawn_blocking, within, within_call, within_sync},
    keys::{
        DerivedKey, KeyFileError, KeyHolder, KeyId, Keys, MasterKeys, MasterKeysError, NoRandomness, Purpose, Seals,
        TokenError,
    },
    per_tenant::{Bounds, BoxError, BuildError, Held, MakeFn, MakeResource, PerTenant, Unavailable, make_fn},
};
