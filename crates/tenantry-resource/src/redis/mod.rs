//! Redis: the server, and a handle for applications that speak Redis themselves.
//!
//! | module | |
//! |---|---|
//! | `away` | a server that does not answer is left alone for a while |
//! | `commands` | which commands can be confined to a tenant, and where their keys are |
//! | `key_prefix` | the beginning of each tenant's keys |
//! | `plane` | [`RedisKeys`]: a tenant's keys, counted and erased |
//! | `refused` | [`RedisRefused`]: a command that cannot be confined, and what to do instead |
//! | `reply` | replies with keys in them, as the tenant knows its keys |
//! | `rewrite` | commands, with the tenant in their keys |
//! | `scoped` | [`ScopedRedis`], the handle |
//! | `server` | [`RedisServer`]: one connection for all tenants |

mod away;
mod commands;
mod key_prefix;
mod plane;
mod refused;
mod reply;
mod rewrite;
mod scoped;
mod server;

pub(crate) use self::{key_prefix::Part, server::Repeat};
pub use self::{
    key_prefix::{KeyPrefix, KeyPrefixError},
    plane::RedisKeys,
    refused::RedisRefused,
    scoped::ScopedRedis,
    server::{RedisOptions, RedisServer},
};
