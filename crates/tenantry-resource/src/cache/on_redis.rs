//! One Redis server for the caches of all tenants.
//!
//! A tenant has a key with the *generation* of its cache, a token that is never made twice. Each value begins with the
//! generation that it was written in, and is seen in that one only. To clear the cache is to delete the generation, which a
//! server without room lets do, too: whoever comes next makes a new one, and what was there before is never seen again, and
//! goes when its time to live is over. When the server evicts the key with the generation, that is as good as a clear.
//!
//! A value is written in the generation that this process knows, which the server is asked for in the same go. Only when it
//! is another one by now, a script writes it once more.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use redis::{ErrorKind, FromRedisValue, RedisError, Script, ScriptInvocation, Value, cmd, pipe};
use tenantry_core::{Scope, TenantId};

use super::{
    CacheError,
    store::{Epoch, Found},
};
use crate::redis::{KeyPrefix, Part, RedisServer, Repeat};

pub(super) struct OnRedis {
    server: RedisServer,
    tokens: Tokens,
    /// How long a generation lives after the last write: as long as what was written.
    ttl_max: Duration,
    scripts: Scripts,
    /// The generation that each tenant's cache had when this process last heard of it.
    known: RwLock<HashMap<TenantId, Generation, RandomState>>,
}

/// A token that is never made twice.
pub(super) type Generation = [u8; 16];

impl OnRedis {
    pub(super) fn new(server: RedisServer, ttl_max: Duration) -> Self {
        Self { server, tokens: Tokens::new(), ttl_max, scripts: Scripts::new(), known: RwLock::default() }
    }

    pub(super) async fn get(&self, scope: &Scope, key: &str) -> Result<Option<Bytes>, CacheError> {
        let (_, value) = self.fetch(scope, key).await.map_err(|error| failed(scope, error))?;
        Ok(value)
    }

    /// What is there, and the generation, which is made if there is none.
    pub(super) async fn look(&self, scope: &Scope, key: &str) -> Result<Found, CacheError> {
        let (generation, value) = self.fetch(scope, key).await.map_err(|error| failed(scope, error))?;
        let generation = match generation {
            Some(generation) => generation,
            None => self.generation(scope).await.map_err(|error| failed(scope, error))?,
        };
        Ok(Found { value, epoch: Epoch::Redis(generation) })
    }

    pub(super) async fn set(&self, scope: &Scope, key: &str, value: &[u8], ttl: Duration) -> Result<(), CacheError> {
        if let Some(known) = self.known(scope)
            && self.set_in(known, scope, key, value, ttl).await?
        {
            return Ok(());
        }
        let mut set = self.invocation(&self.scripts.set, scope, Some(key));
        set.arg(value).arg(millis(ttl));
        let generation: Value = self.run(&set, Repeat::Harmless).await.map_err(|error| failed(scope, error))?;
        self.learn(scope, as_generation(&generation));
        Ok(())
    }

    /// Sets a value in a generation, and says whether that is still the one.
    pub(super) async fn set_in(
        &self,
        generation: Generation,
        scope: &Scope,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let mut set = pipe();
        set.cmd("SET")
            .arg(self.value_key(scope, key))
            .arg([&generation[..], value].concat())
            .arg("PX")
            .arg(millis(ttl))
            .ignore();
        // Asked for after it was written: if it is this one, the value is seen.
        set.cmd("GETEX").arg(self.generation_key(scope)).arg("PX").arg(millis(self.ttl_max));
        let set = &set;
        let sent = self.server.run(Repeat::Harmless, |mut redis| async move { set.query_async(&mut redis).await });
        let (found,): (Value,) = sent.await.map_err(|error| failed(scope, error))?;
        Ok(as_generation(&found) == Some(generation))
    }

    pub(super) async fn delete(&self, scope: &Scope, key: &str) -> Result<(), CacheError> {
        let mut delete = cmd("UNLINK");
        delete.arg(self.value_key(scope, key));
        let delete = &delete;
        let sent = self.server.run(Repeat::Harmless, |mut redis| async move { delete.exec_async(&mut redis).await });
        sent.await.map_err(|error| failed(scope, error))
    }

    pub(super) async fn increment(&self, scope: &Scope, key: &str, by: i64, ttl: Duration) -> Result<i64, CacheError> {
        let mut increment = self.invocation(&self.scripts.increment, scope, Some(key));
        increment.arg(by).arg(millis(ttl));
        let answer: String = self.run(&increment, Repeat::Never).await.map_err(|error| failed(scope, error))?;
        let tenant = scope.slug().clone();
        match &*answer {
            "no number" => Err(CacheError::NotANumber { tenant }),
            "overflow" => Err(CacheError::Overflow { tenant }),
            sum => sum.parse().map_err(|_| failed(scope, unexpected("a counter is no number"))),
        }
    }

    pub(super) async fn clear(&self, scope: &Scope) -> Result<(), CacheError> {
        let mut clear = cmd("UNLINK");
        clear.arg(self.generation_key(scope));
        let clear = &clear;
        let sent = self.server.run(Repeat::Harmless, |mut redis| async move { clear.exec_async(&mut redis).await });
        sent.await.map_err(|error| failed(scope, error))
    }

    /// Gives up what this process knows of a tenant.
    pub(super) fn evict(&self, tenant: TenantId) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }

    /// The generation, and the value if it is of that one.
    async fn fetch(&self, scope: &Scope, key: &str) -> Result<(Option<Generation>, Option<Bytes>), RedisError> {
        let mut get = cmd("MGET");
        get.arg(self.generation_key(scope)).arg(self.value_key(scope, key));
        let get = &get;
        let sent = self.server.run(Repeat::Harmless, |mut redis| async move { get.query_async(&mut redis).await });
        let (generation, value): (Value, Value) = sent.await?;
        let generation = as_generation(&generation);
        self.learn(scope, generation);
        let value = match (generation, value) {
            (Some(generation), Value::BulkString(value)) if value.starts_with(&generation) => {
                Some(Bytes::from(value).slice(generation.len()..))
            }
            _ => None,
        };
        Ok((generation, value))
    }

    /// The generation, made now if there is none.
    async fn generation(&self, scope: &Scope) -> Result<Generation, RedisError> {
        let found: Value = self.run(&self.invocation(&self.scripts.generation, scope, None), Repeat::Harmless).await?;
        as_generation(&found).ok_or_else(|| unexpected("the generation of a cache is none"))
    }

    fn known(&self, scope: &Scope) -> Option<Generation> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&scope.id()).copied()
    }

    /// Notes which generation the server has. Mostly it is known, and then nothing is written that other threads read.
    fn learn(&self, scope: &Scope, generation: Option<Generation>) {
        if let Some(generation) = generation.filter(|generation| self.known(scope) != Some(*generation)) {
            self.known.write().unwrap_or_else(PoisonError::into_inner).insert(scope.id(), generation);
        }
    }

    /// A script of ours, with what all of them get.
    fn invocation<'a>(&self, script: &'a Script, scope: &Scope, key: Option<&str>) -> ScriptInvocation<'a> {
        let mut invocation = script.key(self.generation_key(scope));
        if let Some(key) = key {
            invocation.key(self.value_key(scope, key));
        }
        invocation.arg(&self.tokens.next()).arg(millis(self.ttl_max));
        invocation
    }

    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>, repeat: Repeat) -> Result<T, RedisError> {
        self.server.run(repeat, |mut redis| async move { script.invoke_async(&mut redis).await }).await
    }

    fn generation_key(&self, scope: &Scope) -> Vec<u8> {
        self.prefix().key(scope.id(), Part::Generation, b"")
    }

    fn value_key(&self, scope: &Scope, key: &str) -> Vec<u8> {
        self.prefix().key(scope.id(), Part::Cached, key.as_bytes())
    }

    fn prefix(&self) -> &KeyPrefix {
        self.server.prefix()
    }
}

/// What is run on the server in one go. The first key is the generation's, the second the value's; the first argument is the
/// generation that is made when there is none, the second how long it lives.
///
/// The first write of each is one that the server refuses when it has no room: a script that has written is let go on.
struct Scripts {
    generation: Script,
    increment: Script,
    set: Script,
}

const GENERATION: &str = "
local generation = redis.call('GET', KEYS[1])
if not generation then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    generation = ARGV[1]
end
";

const SET: &str = "
redis.call('SET', KEYS[2], generation .. ARGV[3], 'PX', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return generation
";

/// Redis itself adds, on the bare number, since Lua's numbers are exact up to 2^53 only. The answer is a text for the same
/// reason; where there is no sum, it says why.
const INCREMENT: &str = "
local value = redis.call('GET', KEYS[2])
if not value or string.sub(value, 1, #generation) ~= generation then
    redis.call('SET', KEYS[2], generation .. ARGV[3], 'PX', ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return ARGV[3]
end
redis.call('SET', KEYS[2], string.sub(value, #generation + 1), 'KEEPTTL')
local added = redis.pcall('INCRBY', KEYS[2], ARGV[3])
if type(added) == 'table' and added.err then
    redis.call('SET', KEYS[2], value, 'KEEPTTL')
    return string.find(added.err, 'overflow', 1, true) and 'overflow' or 'no number'
end
local sum = redis.call('GET', KEYS[2])
redis.call('SET', KEYS[2], generation .. sum, 'KEEPTTL')
return sum
";

impl Scripts {
    fn new() -> Self {
        let script = |then: &str| Script::new(&[GENERATION, then].concat());
        Self { generation: script("return generation"), increment: script(INCREMENT), set: script(SET) }
    }
}

/// Makes generations: 8 bytes of this process's own, and a counter.
struct Tokens {
    process: [u8; 8],
    count: AtomicU64,
}

impl Tokens {
    fn new() -> Self {
        let mut process = [0; 8];
        // Without random bytes, what a hash map is seeded with: the process, the time, an address.
        if getrandom::fill(&mut process).is_err() {
            use std::hash::{BuildHasher, Hasher};
            process = std::hash::RandomState::new().build_hasher().finish().to_ne_bytes();
        }
        Self { process, count: AtomicU64::new(0) }
    }

    fn next(&self) -> Generation {
        let mut token = [0; 16];
        token[..8].copy_from_slice(&self.process);
        token[8..].copy_from_slice(&self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        token
    }
}

fn as_generation(value: &Value) -> Option<Generation> {
    match value {
        Value::BulkString(bytes) => bytes.as_slice().try_into().ok(),
        _ => None,
    }
}

/// Redis counts in whole milliseconds; something shorter lives for one.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn unexpected(what: &'static str) -> RedisError {
    (ErrorKind::UnexpectedReturnType, what).into()
}

fn failed(scope: &Scope, error: RedisError) -> CacheError {
    CacheError::Unavailable { tenant: scope.slug().clone(), source: error.into() }
}
