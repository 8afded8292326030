//! Where cached values are.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tenantry_core::{Scope, TenantId};

#[cfg(feature = "redis")]
use super::on_redis::{Generation, OnRedis};
use super::{
    CacheError,
    memory::{Memory, Own},
};

pub(super) enum Store {
    Memory(Memory),
    #[cfg(feature = "redis")]
    Redis(Box<OnRedis>),
}

/// What is there, and since when the tenant's cache has not been cleared.
pub(super) struct Found {
    pub(super) value: Option<Bytes>,
    pub(super) epoch: Epoch,
}

/// The time between two clears of a tenant's cache.
#[derive(Clone)]
pub(super) enum Epoch {
    Memory(Arc<Own>),
    #[cfg(feature = "redis")]
    Redis(Generation),
    /// The server is away, so that nobody knows.
    Unknown,
}

impl PartialEq for Epoch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory(one), Self::Memory(other)) => Arc::ptr_eq(one, other),
            #[cfg(feature = "redis")]
            (Self::Redis(one), Self::Redis(other)) => one == other,
            (Self::Unknown, Self::Unknown) => true,
            _ => false,
        }
    }
}

impl Store {
    pub(super) async fn get(&self, scope: &Scope, key: &str) -> Result<Option<Bytes>, CacheError> {
        match self {
            Self::Memory(memory) => Ok(memory.get(scope, key)),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.get(scope, key).await,
        }
    }

    /// Like `get`, and says which epoch that was in.
    pub(super) async fn look(&self, scope: &Scope, key: &str) -> Result<Found, CacheError> {
        match self {
            Self::Memory(memory) => {
                let own = memory.own(scope);
                Ok(Found { value: own.get(key), epoch: Epoch::Memory(own) })
            }
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.look(scope, key).await,
        }
    }

    pub(super) async fn set(&self, scope: &Scope, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError> {
        match self {
            Self::Memory(memory) => memory.own(scope).set(key, value, ttl),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.set(scope, key, &value, ttl).await?,
        }
        Ok(())
    }

    /// Sets what was computed in an epoch. When that is over, nobody will see it.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "in memory, the epoch knows whose it is"))]
    pub(super) async fn set_in(
        &self,
        epoch: &Epoch,
        scope: &Scope,
        key: &str,
        value: Bytes,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        match (self, epoch) {
            (Self::Memory(_), Epoch::Memory(own)) => own.set(key, value, ttl),
            #[cfg(feature = "redis")]
            (Self::Redis(redis), Epoch::Redis(generation)) => {
                redis.set_in(*generation, scope, key, &value, ttl).await?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn delete(&self, scope: &Scope, key: &str) -> Result<(), CacheError> {
        match self {
            Self::Memory(memory) => memory.delete(scope, key),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.delete(scope, key).await?,
        }
        Ok(())
    }

    pub(super) async fn increment(&self, scope: &Scope, key: &str, by: i64, ttl: Duration) -> Result<i64, CacheError> {
        match self {
            Self::Memory(memory) => memory.own(scope).increment(scope, key, by, ttl),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.increment(scope, key, by, ttl).await,
        }
    }

    pub(super) async fn clear(&self, scope: &Scope) -> Result<(), CacheError> {
        match self {
            Self::Memory(memory) => memory.evict(scope.id()),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.clear(scope).await?,
        }
        Ok(())
    }

    /// Gives up what this process keeps for a tenant.
    pub(super) fn evict(&self, tenant: TenantId) {
        match self {
            Self::Memory(memory) => memory.evict(tenant),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.evict(tenant),
        }
    }
}
