//! The tenants' caches, and Redis itself for those who speak it.

use tenantry_core::{Change, Status};
pub use tenantry_resource::cache::{Cache, CacheError, CacheLimits, MemoryOptions};
#[cfg(feature = "redis")]
pub use tenantry_resource::redis::{KeyPrefix, KeyPrefixError, RedisOptions, RedisRefused, RedisServer, ScopedRedis};

#[cfg(feature = "redis")]
use crate::config::ServerUrl;
use crate::{
    Tenancy,
    config::{CachePlace, Config, ConfigError},
};

impl Tenancy {
    /// The cache of the tenant whose scope is current: in memory, or on the Redis server at `cache.url`.
    ///
    /// Nothing is connected, and nothing made for a tenant, before the first call. Every call gives the same cache.
    pub fn cache(&self) -> Cache {
        self.caches().cache.clone()
    }

    /// A connection to the Redis server at `cache.url` for applications that speak Redis themselves: each key is the
    /// tenant's own. It is for everything that implements `redis::aio::ConnectionLike`.
    ///
    /// # Errors
    ///
    /// When `cache.url` names no Redis server.
    #[cfg(feature = "redis")]
    pub fn redis(&self) -> Result<ScopedRedis, ConfigError> {
        let server = self.caches().redis.clone();
        server
            .map(ScopedRedis::new)
            .ok_or_else(|| invalid("cache.url: it names no Redis server; write redis://…".to_owned()))
    }
}

/// What is behind both.
#[derive(Clone, Debug)]
pub(crate) struct Caches {
    cache: Cache,
    #[cfg(feature = "redis")]
    redis: Option<RedisServer>,
}

impl Caches {
    /// Caches as the configuration says.
    pub(crate) fn from_config(config: &Config) -> Result<Self, ConfigError> {
        let section = &config.cache;
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let mut limits = CacheLimits::default();
        limits.key_bytes_max = size(section.key_bytes_max);
        limits.value_bytes_max = size(section.value_bytes_max);
        limits.ttl_max = section.ttl_max;
        match &section.url {
            CachePlace::Memory => {
                let mut options = MemoryOptions::default();
                options.tenants_max = size(section.tenants_max.get().into());
                options.idle = section.idle;
                Ok(Self::in_memory(Cache::in_memory(limits, options)))
            }
            #[cfg(feature = "redis")]
            CachePlace::Redis(url) => {
                let server = server(section, url)?;
                Ok(Self { cache: Cache::on_redis(limits, server.clone()), redis: Some(server) })
            }
            #[cfg(not(feature = "redis"))]
            CachePlace::Redis(url) => Err(invalid(format!("cache.url: {url} needs the feature redis"))),
        }
    }

    fn in_memory(cache: Cache) -> Self {
        Self {
            cache,
            #[cfg(feature = "redis")]
            redis: None,
        }
    }

    /// Gives up what is kept for a tenant that is gone, or is not to find again what it had. One that is switched off may come
    /// back.
    pub(crate) fn follow(&self, change: &Change) {
        match change {
            Change::Upserted(tenant) if !matches!(tenant.status, Status::Deleting | Status::Provisioning) => {}
            Change::Upserted(_) | Change::Removed { .. } => self.cache.evict(change.id()),
        }
    }
}

/// The server that cached values are on, where they are on one.
#[cfg(feature = "redis")]
pub(crate) fn configured_server(config: &Config) -> Result<Option<RedisServer>, ConfigError> {
    match &config.cache.url {
        CachePlace::Redis(url) => server(&config.cache, url).map(Some),
        _ => Ok(None),
    }
}

#[cfg(feature = "redis")]
fn server(section: &crate::config::CacheSection, url: &ServerUrl) -> Result<RedisServer, ConfigError> {
    let mut options = RedisOptions::default();
    options.connect_timeout = section.connect_timeout;
    options.response_timeout = section.response_timeout;
    options.retry_after = section.retry_after;
    redis_server("cache", url, &section.prefix, options)
}

/// The server that a section of the configuration names.
#[cfg(feature = "redis")]
pub(crate) fn redis_server(
    section: &str,
    url: &ServerUrl,
    prefix: &str,
    mut options: RedisOptions,
) -> Result<RedisServer, ConfigError> {
    options.prefix = prefix.parse().map_err(|error| invalid(format!("{section}.prefix: {error}")))?;
    // The client's error may repeat a part of the URL, the password for instance.
    let wrong = |_| invalid(format!("{section}.url: {url} has a part that Redis's client cannot use"));
    RedisServer::new(url.expose(), options).map_err(wrong)
}

fn invalid(problem: String) -> ConfigError {
    ConfigError::Invalid { place: "the configuration".to_owned(), problems: vec![problem] }
}
