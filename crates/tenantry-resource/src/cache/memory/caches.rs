//! The caches of all tenants.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, PoisonError, RwLock, RwLockWriteGuard, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use tenantry_core::{Scope, TenantId};
use tokio::runtime::Handle;

use super::Own;

/// What caches in memory may be. How many bytes a tenant's may have is in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryOptions {
    /// How many tenants' caches may be in memory at once; then one that nobody uses makes room. Default 1000.
    pub tenants_max: usize,
    /// How long a tenant's cache may go unused before it goes, at the latest after twice that. Default 15 minutes.
    pub idle: Duration,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { tenants_max: 1000, idle: Duration::from_secs(15 * 60) }
    }
}

pub(in crate::cache) struct Memory(Arc<Caches>);

struct Caches {
    options: MemoryOptions,
    own: RwLock<HashMap<TenantId, Arc<Own>, RandomState>>,
    /// Whether the task that lets unused caches go runs.
    sweeping: AtomicBool,
}

impl Memory {
    pub(in crate::cache) fn new(options: MemoryOptions) -> Self {
        Self(Arc::new(Caches { options, own: RwLock::default(), sweeping: AtomicBool::new(false) }))
    }

    pub(in crate::cache) fn get(&self, scope: &Scope, key: &str) -> Option<Bytes> {
        self.with(scope, |own| own.get(key)).flatten()
    }

    pub(in crate::cache) fn delete(&self, scope: &Scope, key: &str) {
        self.with(scope, |own| own.delete(key));
    }

    /// The tenant's cache, made now if it is not there.
    pub(in crate::cache) fn own(&self, scope: &Scope) -> Arc<Own> {
        match self.with(scope, Arc::clone) {
            Some(own) => own,
            None => self.make(scope),
        }
    }

    /// Lets a tenant's cache go, in the same time however much is in it.
    pub(in crate::cache) fn evict(&self, tenant: TenantId) {
        let own = self.0.write().remove(&tenant);
        discard(own);
    }

    fn with<R>(&self, scope: &Scope, f: impl FnOnce(&Arc<Own>) -> R) -> Option<R> {
        let all = self.0.own.read().unwrap_or_else(PoisonError::into_inner);
        let own = all.get(&scope.id()).filter(|own| !own.is_outdated(scope))?;
        own.touch();
        Some(f(own))
    }

    fn make(&self, scope: &Scope) -> Arc<Own> {
        let mut all = self.0.write();
        let evicted =
            if all.contains_key(&scope.id()) { None } else { make_room(&mut all, self.0.options.tenants_max) };
        let (own, replaced) = match all.entry(scope.id()) {
            Entry::Occupied(mut occupied) if occupied.get().is_outdated(scope) => {
                let replaced = occupied.insert(Arc::new(Own::new(scope)));
                (Arc::clone(occupied.get()), Some(replaced))
            }
            Entry::Occupied(occupied) => (Arc::clone(occupied.get()), None),
            Entry::Vacant(vacant) => (Arc::clone(vacant.insert(Arc::new(Own::new(scope)))), None),
        };
        drop(all);
        discard(evicted.into_iter().chain(replaced));
        self.begin_to_sweep();
        own
    }

    fn begin_to_sweep(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.0.sweeping.swap(true, Ordering::AcqRel) {
            runtime.spawn(sweep(Sweeper(Arc::downgrade(&self.0)), self.0.options.idle));
        }
    }
}

impl Caches {
    fn write(&self) -> RwLockWriteGuard<'_, HashMap<TenantId, Arc<Own>, RandomState>> {
        self.own.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a cache out when there are too many: one that was not used of late, or else any.
fn make_room(all: &mut HashMap<TenantId, Arc<Own>, RandomState>, max: usize) -> Option<Arc<Own>> {
    if all.len() < max {
        return None;
    }
    let unused = all.iter().find(|(_, own)| !own.is_used()).or_else(|| all.iter().next());
    let tenant = *unused?.0;
    all.remove(&tenant)
}

/// Who sweeps. When it goes with its runtime, another one may begin.
struct Sweeper(Weak<Caches>);

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(caches) = self.0.upgrade() {
            caches.sweeping.store(false, Ordering::Release);
        }
    }
}

/// Lets unused caches go for as long as somebody holds the handle.
async fn sweep(sweeper: Sweeper, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(caches) = sweeper.0.upgrade() else { return };
        let unused: Vec<_> = caches.write().extract_if(|_, own| !own.take_used()).map(|(_, own)| own).collect();
        discard(unused);
    }
}

/// Frees what is no longer of use where nobody waits for it: there may be many entries.
fn discard(unused: impl IntoIterator<Item = Arc<Own>>) {
    let unused: Vec<_> = unused.into_iter().collect();
    if unused.is_empty() {
        return;
    }
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(unused))),
        Err(_) => drop(unused),
    }
}

#[cfg(test)]
mod tests {
    use tenantry_core::{Admission, Limits, Mirror, Plan, PlanName, Plans, Revision, Tenant};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const BUDGET: u64 = 1 << 20;

    /// The scope of a tenant whose plan has this budget, as of a revision of its record.
    fn scope_at(id: i64, revision: i64, budget: Option<u64>) -> Scope {
        let mut limits = Limits::default();
        limits.cache_bytes_max = budget;
        let mut tenant = Tenant::new(TenantId::new(id), format!("t{id}").parse().unwrap());
        tenant.revision = Revision::new(revision);
        let plans = Plans::from_iter([Plan::new(PlanName::default(), limits)]);
        Admission::new(Arc::new(Mirror::from_iter([tenant])), plans).admit_id(TenantId::new(id)).unwrap()
    }

    fn scope(id: i64) -> Scope {
        scope_at(id, 1, Some(BUDGET))
    }

    fn memory(tenants_max: usize, idle: Duration) -> Memory {
        Memory::new(MemoryOptions { tenants_max, idle })
    }

    fn tenants(memory: &Memory) -> usize {
        memory.0.own.read().unwrap().len()
    }

    #[test]
    fn nothing_is_made_for_a_tenant_that_writes_nothing() {
        let memory = memory(10, HOUR);
        assert_eq!(memory.get(&scope(1), "key"), None);
        memory.delete(&scope(1), "key");
        memory.evict(TenantId::new(1));
        assert_eq!(tenants(&memory), 0);
    }

    #[test]
    fn a_tenant_has_its_budget_and_nobody_elses() {
        let memory = memory(10, HOUR);
        memory.own(&scope(2)).set("theirs", Bytes::from_static(b"kept"), HOUR);
        let own = memory.own(&scope(1));
        for size in [2_000, 20_000, 300_000] {
            let count = 4 * BUDGET / size;
            for number in 0..count {
                let value = vec![0; usize::try_from(size).unwrap()];
                own.set(&number.to_string(), value.into(), HOUR);
                if number % 20 == 19 || size > 2_000 {
                    // With what waits to be weighed.
                    assert!(own.bytes() <= 2 * BUDGET, "{size}: {}", own.bytes());
                }
            }
            own.settle();
            assert!(own.bytes() <= BUDGET, "{size}: {}", own.bytes());
            assert!(own.get(&(count - 1).to_string()).is_some(), "what was written last is there");
        }
        assert_eq!(memory.get(&scope(2), "theirs").as_deref(), Some(&b"kept"[..]));
    }

    #[test]
    fn another_plan_is_another_budget_and_an_older_record_does_not_bring_the_old_one_back() {
        let memory = memory(10, HOUR);
        let old = memory.own(&scope_at(1, 1, Some(1000)));
        assert!(Arc::ptr_eq(&old, &memory.own(&scope_at(1, 2, Some(1000)))), "the plan is the same");
        let new = memory.own(&scope_at(1, 3, None));
        assert!(!Arc::ptr_eq(&old, &new));
        assert!(Arc::ptr_eq(&new, &memory.own(&scope_at(1, 1, Some(1000)))), "a request that began before");
    }

    #[test]
    fn who_did_not_use_its_cache_of_late_makes_room() {
        let memory = memory(3, HOUR);
        for id in 1..=3 {
            memory.own(&scope(id)).take_used();
        }
        memory.own(&scope(1));
        memory.own(&scope(3));
        memory.own(&scope(4));
        let all = memory.0.own.read().unwrap();
        let mut ids: Vec<_> = all.keys().map(|id| id.get()).collect();
        ids.sort_unstable();
        assert_eq!(ids, [1, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cache_that_nobody_uses_goes() {
        let memory = memory(10, HOUR);
        for id in [1, 2] {
            memory.own(&scope(id)).set("key", Bytes::new(), HOUR * 100);
        }
        for _ in 0..5 {
            tokio::time::sleep(HOUR / 2).await;
            assert!(memory.get(&scope(1), "key").is_some());
        }
        assert_eq!(tenants(&memory), 1, "the second is gone");
        tokio::time::sleep(HOUR * 3).await;
        assert_eq!(tenants(&memory), 0);
    }
}
