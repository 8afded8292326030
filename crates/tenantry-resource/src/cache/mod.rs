//! A cache for each tenant: in memory, or on Redis.
//!
//! | module | |
//! |---|---|
//! | `error` | why the cache declines, or fails |
//! | `flight` | one computation of a value at a time |
//! | `handle` | [`Cache`], which an application reads and writes by |
//! | `limits` | how long keys and values may be, and how long they may live |
//! | `memory` | a cache in memory for each tenant, with a budget of its own |
//! | `on_redis` | one server for all, in whose keys the tenant is |
//! | `store` | which of the two |
//!
//! 1. The tenant is part of every key. What a tenant calls a key, and which bytes are in it, says nothing to other tenants.
//! 2. Every value has a time to live. It may go earlier: when the tenant's budget is used up, when the server has no room,
//!    in memory also when the process ends or the tenant has been idle. Nothing that matters belongs here alone.
//! 3. [`Cache::clear`] takes the same time however much the tenant has there, and does not touch other tenants. What was
//!    computed from before it is not seen after it.

mod error;
mod flight;
mod handle;
mod limits;
mod memory;
#[cfg(feature = "redis")]
mod on_redis;
mod store;

pub use self::{error::CacheError, handle::Cache, limits::CacheLimits, memory::MemoryOptions};
