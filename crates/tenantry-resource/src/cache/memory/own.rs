//! The cache of one tenant, between two clears.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use foldhash::quality::RandomState;
use moka::{Entry, Expiry, ops::compute::Op, policy::EvictionPolicy};
use tenantry_core::{Revision, Scope};

use crate::cache::CacheError;

pub(in crate::cache) struct Own {
    entries: moka::sync::Cache<String, Cached, RandomState>,
    /// What the entries may weigh, as the tenant's plan said at this revision of its record.
    budget: Option<u64>,
    revision: Revision,
    /// Whether anybody was here since it was last asked.
    used: AtomicBool,
}

#[derive(Clone)]
struct Cached {
    value: Bytes,
    expires: Instant,
}

/// What an entry takes in memory beside its key and its value: the map's, the queue's and the timer's places.
const OVERHEAD: usize = 256;

/// So many writes may wait to be weighed. One that is heavier than its share of the budget is weighed at once, so that
/// those that wait are never more than the budget.
const WAITING_MAX: u64 = 64;

impl Own {
    pub(super) fn new(scope: &Scope) -> Self {
        let budget = scope.limits().cache_bytes_max;
        let builder = moka::sync::Cache::builder()
            // What was written last is there, even if it was never asked for before.
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|key: &String, cached: &Cached| weight(key, &cached.value))
            .expire_after(OfEach);
        let entries = match budget {
            Some(budget) => builder.max_capacity(budget).build_with_hasher(RandomState::default()),
            None => builder.build_with_hasher(RandomState::default()),
        };
        Self { entries, budget, revision: scope.tenant().revision, used: AtomicBool::new(true) }
    }

    /// Whether the tenant's plan has since got another budget.
    pub(super) fn is_outdated(&self, scope: &Scope) -> bool {
        scope.limits().cache_bytes_max != self.budget && scope.tenant().revision > self.revision
    }

    /// Whether anybody was here since the last call of this.
    pub(super) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Notes that somebody is here. Mostly it is known, and then nothing is written that other threads read.
    pub(super) fn touch(&self) {
        if !self.is_used() {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    pub(in crate::cache) fn get(&self, key: &str) -> Option<Bytes> {
        self.entries.get(key).map(|cached| cached.value)
    }

    pub(in crate::cache) fn set(&self, key: &str, value: Bytes, ttl: Duration) {
        let heavy = self.budget.is_some_and(|budget| u64::from(weight(key, &value)) > budget / WAITING_MAX);
        self.entries.insert(key.to_owned(), Cached { value, expires: Instant::now() + ttl });
        if heavy {
            self.entries.run_pending_tasks();
        }
    }

    pub(super) fn delete(&self, key: &str) {
        self.entries.invalidate(key);
    }

    pub(in crate::cache) fn increment(
        &self,
        scope: &Scope,
        key: &str,
        by: i64,
        ttl: Duration,
    ) -> Result<i64, CacheError> {
        let mut answer = Ok(by);
        self.entries.entry_by_ref(key).and_compute_with(|entry| {
            let entry = entry.map(Entry::into_value);
            let expires = entry.as_ref().map_or_else(|| Instant::now() + ttl, |cached| cached.expires);
            answer = added(scope, entry.as_ref().map(|cached| &cached.value), by);
            match &answer {
                Ok(sum) => Op::Put(Cached { value: sum.to_string().into(), expires }),
                Err(_) => Op::Nop,
            }
        });
        answer
    }
}

#[cfg(test)]
impl Own {
    /// What all entries weigh, those that are still to be weighed as well.
    pub(super) fn bytes(&self) -> u64 {
        self.entries.iter().map(|(key, cached)| u64::from(weight(&key, &cached.value))).sum()
    }

    /// Weighs everything, so that what is too much goes.
    pub(super) fn settle(&self) {
        self.entries.run_pending_tasks();
    }
}

/// The sum, where the value is a number as Redis would take it: without a sign or zeros that say nothing.
fn added(scope: &Scope, value: Option<&Bytes>, by: i64) -> Result<i64, CacheError> {
    let Some(value) = value else { return Ok(by) };
    let number = std::str::from_utf8(value).ok().and_then(|text| {
        let number: i64 = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    });
    let number = number.ok_or_else(|| CacheError::NotANumber { tenant: scope.slug().clone() })?;
    number.checked_add(by).ok_or_else(|| CacheError::Overflow { tenant: scope.slug().clone() })
}

fn weight(key: &str, value: &[u8]) -> u32 {
    u32::try_from(key.len() + value.len() + OVERHEAD).unwrap_or(u32::MAX)
}

/// Each entry says by itself when it expires.
struct OfEach;

impl Expiry<String, Cached> for OfEach {
    fn expire_after_create(&self, _: &String, cached: &Cached, now: Instant) -> Option<Duration> {
        Some(cached.expires.saturating_duration_since(now))
    }

    fn expire_after_update(&self, _: &String, cached: &Cached, now: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(cached.expires.saturating_duration_since(now))
    }
}
