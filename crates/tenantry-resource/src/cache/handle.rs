//! The handle.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tenantry_core::{Scope, TenantId};

use super::{
    CacheError, CacheLimits,
    flight::Flights,
    memory::{Memory, MemoryOptions},
    store::{Epoch, Found, Store},
};
use crate::{NoScope, current, within_call};

/// The cache of the tenant whose scope is current when a method is called.
///
/// Keys are any text. Values are whatever `serde` can write as JSON, or bytes. Cloning is cheap, and clones are the same
/// cache.
///
/// ```
/// use std::time::Duration;
/// use tenantry_resource::{cache::{Cache, CacheError, CacheLimits, MemoryOptions}, within};
/// # use std::sync::Arc;
/// # use tenantry_core::{Admission, Mirror, Plans, Tenant, TenantId};
/// # let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
/// # let admission = Admission::new(Arc::new(Mirror::from_iter([acme])), Plans::default());
/// # let scope = admission.admit_id(TenantId::new(1))?;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let cache = Cache::in_memory(CacheLimits::default(), MemoryOptions::default());
/// assert!(cache.get::<u32>("visitors").await.is_err(), "no scope, no answer");
/// within(scope, async {
///     let minute = Duration::from_secs(60);
///     cache.set("visitors", &41, minute).await?;
///     assert_eq!(cache.increment("visitors", 1, minute).await?, 42);
///     let page: String = cache.get_or_compute("page", minute, || async { Ok::<_, CacheError>("…".to_owned()) }).await?;
///     assert_eq!(cache.get("page").await?, Some(page));
///     cache.clear().await
/// })
/// .await
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    limits: CacheLimits,
    store: Store,
    flights: Flights,
}

impl Cache {
    /// Caches in the memory of this process, one for each tenant that uses it.
    pub fn in_memory(limits: CacheLimits, options: MemoryOptions) -> Self {
        Self::new(limits, Store::Memory(Memory::new(options)))
    }

    /// Caches on a Redis server, which other processes share.
    #[cfg(feature = "redis")]
    pub fn on_redis(limits: CacheLimits, server: crate::redis::RedisServer) -> Self {
        Self::new(limits, Store::Redis(Box::new(super::on_redis::OnRedis::new(server, limits.ttl_max()))))
    }

    fn new(limits: CacheLimits, store: Store) -> Self {
        Self { shared: Arc::new(Shared { limits, store, flights: Flights::default() }) }
    }

    /// The value under a key.
    ///
    /// # Errors
    ///
    /// [`CacheError`]; [`CacheError::Unreadable`] when what is there is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> impl Future<Output = Result<Option<T>, CacheError>> + Send {
        let caller = caller();
        async move {
            let scope = caller()?;
            let found = self.shared.get(&scope, key).await?;
            found.map(|bytes| decode(&scope, &bytes)).transpose()
        }
    }

    /// Sets the value under a key, for as long as `ttl` at most.
    ///
    /// # Errors
    ///
    /// [`CacheError`]; what was there before may be there still.
    pub fn set<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Duration,
    ) -> impl Future<Output = Result<(), CacheError>> + Send {
        let (caller, encoded) = (caller(), serde_json::to_vec(value));
        async move {
            let scope = caller()?;
            let bytes = written(&scope, encoded)?;
            self.shared.set(&scope, key, bytes, ttl).await
        }
    }

    /// The bytes under a key, as they are stored: for [`Cache::set`] that is JSON.
    ///
    /// # Errors
    ///
    /// [`CacheError`].
    pub fn get_bytes(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>, CacheError>> + Send {
        let caller = caller();
        async move { self.shared.get(&caller()?, key).await }
    }

    /// Sets the bytes under a key, for as long as `ttl` at most. In memory they are kept without a copy.
    ///
    /// # Errors
    ///
    /// [`CacheError`]; what was there before may be there still.
    pub fn set_bytes(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        ttl: Duration,
    ) -> impl Future<Output = Result<(), CacheError>> + Send {
        let (caller, bytes) = (caller(), value.into());
        async move { self.shared.set(&caller()?, key, bytes, ttl).await }
    }

    /// Deletes what is under a key, if there is anything. What is being computed for it in this process is not kept.
    ///
    /// # Errors
    ///
    /// [`CacheError`]; it may be there still.
    pub fn delete(&self, key: &str) -> impl Future<Output = Result<(), CacheError>> + Send {
        let caller = caller();
        async move { self.shared.delete(&caller()?, key).await }
    }

    /// Adds to the integer under a key, and says what it is now. One that is not there begins at zero and lives for `ttl`;
    /// one that is lives as long as it would have anyway.
    ///
    /// Two increments never get lost in each other, in whichever processes they are. When the answer of a server is lost, so
    /// that the result is an error, it may have been incremented all the same.
    ///
    /// # Errors
    ///
    /// [`CacheError`]; [`CacheError::NotANumber`] when something else is there.
    pub fn increment(&self, key: &str, by: i64, ttl: Duration) -> impl Future<Output = Result<i64, CacheError>> + Send {
        let caller = caller();
        async move { self.shared.increment(&caller()?, key, by, ttl).await }
    }

    /// The value under a key, or else what `compute` answers, which is then kept for `ttl`.
    ///
    /// However many ask at once in this process, one computes and the others wait for the value. Errors are not kept: they
    /// go to the caller whose computation failed, and the next one computes. The same when a computation panics, or is
    /// dropped since its request went away. It runs in the scope of this call.
    ///
    /// A cache that is away does not take the application down: then the value is computed, once for all who wait, and not
    /// kept. That is logged when the server goes away, not for each value. A value that is larger than
    /// `cache.value_bytes_max` is answered, logged and not kept.
    ///
    /// What is computed from before a [`Cache::clear`] is not seen after it, in any process; after a [`Cache::delete`] or
    /// [`Cache::set`] of the key, in this process.
    ///
    /// # Errors
    ///
    /// What `compute` fails with, and a [`CacheError`] for everything except that the cache is away.
    pub fn get_or_compute<T, F, Fut, E>(
        &self,
        key: &str,
        ttl: Duration,
        compute: F,
    ) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Serialize + DeserializeOwned + Send + Sync,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<CacheError> + Send,
    {
        let caller = caller();
        async move {
            let scope = caller().map_err(CacheError::from)?;
            self.shared.get_or_compute(&scope, key, ttl, compute).await
        }
    }

    /// Empties the tenant's cache, in a time that does not depend on what is in it, and also where there is no room left.
    ///
    /// A server that goes on with an older copy of its data, a snapshot or a replica that lagged behind, may have what was
    /// there before.
    ///
    /// # Errors
    ///
    /// [`CacheError`]; then everything may be there still.
    pub fn clear(&self) -> impl Future<Output = Result<(), CacheError>> + Send {
        let caller = caller();
        async move { self.shared.clear(&caller()?).await }
    }

    /// Gives up what this process keeps for a tenant, who is not served any more. On a server it goes by itself, at the
    /// latest after `cache.ttl_max`.
    pub fn evict(&self, tenant: TenantId) {
        self.shared.store.evict(tenant);
    }
}

impl Shared {
    async fn get(&self, scope: &Scope, key: &str) -> Result<Option<Bytes>, CacheError> {
        self.limits.check_key(scope, key)?;
        self.store.get(scope, key).await
    }

    async fn set(&self, scope: &Scope, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError> {
        self.limits.check_key(scope, key)?;
        self.limits.check_ttl(scope, ttl)?;
        self.limits.check_value(scope, &value)?;
        self.flights.outdate(scope.id(), key);
        self.store.set(scope, key, value, ttl).await
    }

    async fn delete(&self, scope: &Scope, key: &str) -> Result<(), CacheError> {
        self.limits.check_key(scope, key)?;
        self.flights.outdate(scope.id(), key);
        self.store.delete(scope, key).await
    }

    async fn increment(&self, scope: &Scope, key: &str, by: i64, ttl: Duration) -> Result<i64, CacheError> {
        self.limits.check_key(scope, key)?;
        self.limits.check_ttl(scope, ttl)?;
        self.flights.outdate(scope.id(), key);
        self.store.increment(scope, key, by, ttl).await
    }

    async fn clear(&self, scope: &Scope) -> Result<(), CacheError> {
        let cleared = self.store.clear(scope).await;
        // Also what began while the server was away, of which nobody knows in which epoch.
        self.flights.outdate_all(scope.id());
        cleared
    }

    async fn get_or_compute<T, F, Fut, E>(&self, scope: &Scope, key: &str, ttl: Duration, compute: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<CacheError>,
    {
        self.limits.check_key(scope, key)?;
        self.limits.check_ttl(scope, ttl)?;
        // A value of a type that it had before counts as none.
        let known = |bytes: &Option<Bytes>| bytes.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let found = self.look(scope, key).await?;
        if let Some(value) = known(&found.value) {
            return Ok(value);
        }
        let aboard = self.flights.board(scope.id(), key, &found.epoch);
        let mut landed = aboard.flight.landed.lock().await;
        if let Some(value) = known(&landed) {
            return Ok(value);
        }
        // Somebody may have finished between the first look and the boarding.
        let found = self.look(scope, key).await?;
        if let Some(value) = known(&found.value) {
            return Ok(value);
        }
        let value = within_call(scope.clone(), compute).await?;
        let bytes = written(scope, serde_json::to_vec(&value))?;
        *landed = Some(bytes.clone());
        // Those who wait need not wait for the server as well.
        drop(landed);
        if !aboard.flight.is_outdated() {
            self.keep(&found.epoch, scope, key, bytes, ttl).await;
            // What was written or deleted while it was sent is later than this.
            if aboard.flight.is_outdated() {
                logged(scope, self.store.delete(scope, key).await);
            }
        }
        Ok(value)
    }

    /// What is there; nothing when the server is away.
    async fn look(&self, scope: &Scope, key: &str) -> Result<Found, CacheError> {
        match self.store.look(scope, key).await {
            Err(CacheError::Unavailable { .. }) => Ok(Found { value: None, epoch: Epoch::Unknown }),
            other => other,
        }
    }

    /// Keeps what was computed, if that is possible.
    async fn keep(&self, epoch: &Epoch, scope: &Scope, key: &str, value: Bytes, ttl: Duration) {
        let kept = match self.limits.check_value(scope, &value) {
            Ok(()) => self.store.set_in(epoch, scope, key, value, ttl).await,
            too_large => too_large,
        };
        logged(scope, kept);
    }
}

/// Logs why something that was computed is not kept: its caller has it all the same.
fn logged(scope: &Scope, kept: Result<(), CacheError>) {
    match kept {
        // Who looks after the server has logged it.
        Ok(()) | Err(CacheError::Unavailable { .. }) => {}
        Err(error) => {
            tracing::warn!(tenant.slug = %scope.slug(), error = &error as &dyn std::error::Error, "computed, and not cached");
        }
    }
}

/// The scope of the call; where that has none, of whoever waits for the answer, as in `within(scope, cache.get("key"))`.
fn caller() -> impl FnOnce() -> Result<Scope, NoScope> + Send {
    let called = current();
    move || called.or_else(|_| current())
}

fn written(scope: &Scope, json: serde_json::Result<Vec<u8>>) -> Result<Bytes, CacheError> {
    json.map(Bytes::from).map_err(|source| CacheError::Unwritable { tenant: scope.slug().clone(), source })
}

fn decode<T: DeserializeOwned>(scope: &Scope, bytes: &[u8]) -> Result<T, CacheError> {
    serde_json::from_slice(bytes).map_err(|source| CacheError::Unreadable { tenant: scope.slug().clone(), source })
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}
