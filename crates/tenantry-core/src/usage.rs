//! What tenants have used, counted.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::TenantId;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Count {
    /// Bytes of requests' bodies.
    BytesReceived,
    /// Bytes of answers' bodies.
    BytesSent,
    /// Jobs that are done.
    JobsDone,
    /// Attempts of jobs that failed.
    JobsFailed,
    /// Requests and statements that were refused.
    Refusals,
    /// Requests that were let in.
    Requests,
    /// Statements for the database.
    Statements,
}

impl Count {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::BytesReceived,
        Self::BytesSent,
        Self::JobsDone,
        Self::JobsFailed,
        Self::Refusals,
        Self::Requests,
        Self::Statements,
    ];
}

/// What a tenant has used since the process began. Counting is cheap, and never waits.
#[derive(Debug, Default)]
pub struct Usage {
    counts: [AtomicU64; Count::ALL.len()],
    latencies: [AtomicU64; Usage::LATENCY_BOUNDS.len() + 1],
    latency_micros: AtomicU64,
}

impl Usage {
    /// The upper bounds by which [`Usage::latency`] sorts: those that Prometheus' libraries have by default.
    pub const LATENCY_BOUNDS: [Duration; 11] = [
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_millis(1000),
        Duration::from_millis(2500),
        Duration::from_millis(5000),
        Duration::from_millis(10_000),
    ];

    /// Counts so much more.
    pub fn add(&self, what: Count, more: u64) {
        self.counts[what as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// How much was counted.
    pub fn get(&self, what: Count) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }

    /// Counts a request that took so long, from its head to the end of its answer.
    pub fn took(&self, latency: Duration) {
        self.add(Count::Requests, 1);
        let bucket = Self::LATENCY_BOUNDS.partition_point(|bound| *bound < latency);
        self.latencies[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// How many requests took at most as long as each of [`Usage::LATENCY_BOUNDS`] and longer than the one before; last, how
    /// many took longer than all.
    pub fn latencies(&self) -> [u64; Self::LATENCY_BOUNDS.len() + 1] {
        std::array::from_fn(|bucket| self.latencies[bucket].load(Ordering::Relaxed))
    }

    /// How long all requests together took.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_micros.load(Ordering::Relaxed))
    }
}

/// What each tenant has used. The first so many tenants have a count of their own, all others one together: so it takes
/// little memory, and whoever collects it does not drown, however many tenants there are.
#[derive(Debug)]
pub struct Usages {
    tenants_max: usize,
    own: RwLock<HashMap<TenantId, Arc<Usage>>>,
    others: Arc<Usage>,
    nobody: Arc<Usage>,
}

impl Usages {
    /// How many tenants have counts of their own, unless told otherwise. Knob `metrics.tenants_max`.
    pub const TENANTS_MAX: usize = 1000;

    /// Counts of their own for this many tenants.
    pub fn new(tenants_max: usize) -> Self {
        Self { tenants_max, own: RwLock::default(), others: Arc::default(), nobody: Arc::default() }
    }

    /// What is counted for a tenant.
    pub fn of(&self, tenant: TenantId) -> Arc<Usage> {
        let known = self.own.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        known.unwrap_or_else(|| self.begin(tenant))
    }

    /// What is counted for requests that name no tenant that there is.
    pub const fn nobody(&self) -> &Arc<Usage> {
        &self.nobody
    }

    /// What is counted for the tenants that have no count of their own.
    pub const fn others(&self) -> &Arc<Usage> {
        &self.others
    }

    /// The counts that are a tenant's own, in the order of the tenants.
    pub fn own(&self) -> Vec<(TenantId, Arc<Usage>)> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let mut own: Vec<_> = own.iter().map(|(tenant, usage)| (*tenant, Arc::clone(usage))).collect();
        own.sort_by_key(|(tenant, _)| *tenant);
        own
    }

    /// Forgets a tenant that is gone, and makes room for another.
    pub fn forget(&self, tenant: TenantId) {
        self.own.write().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }

    fn begin(&self, tenant: TenantId) -> Arc<Usage> {
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        match own.get(&tenant) {
            Some(usage) => Arc::clone(usage),
            None if own.len() < self.tenants_max => Arc::clone(own.entry(tenant).or_default()),
            None => Arc::clone(&self.others),
        }
    }
}

impl Default for Usages {
    fn default() -> Self {
        Self::new(Self::TENANTS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_have_their_own() {
        let usages = Usages::new(2);
        let tenants = [1, 2, 3, 4].map(TenantId::new);
        for (more, tenant) in (1..).zip(tenants) {
            usages.of(tenant).add(Count::Statements, more);
        }
        let own: Vec<_> = usages.own().iter().map(|(id, usage)| (*id, usage.get(Count::Statements))).collect();
        assert_eq!(own, [(tenants[0], 1), (tenants[1], 2)]);
        assert_eq!(usages.others().get(Count::Statements), 7);
        usages.forget(tenants[0]);
        usages.of(tenants[3]).add(Count::Statements, 1);
        assert_eq!(usages.of(tenants[3]).get(Count::Statements), 1, "there is room again");
    }

    #[test]
    fn latencies_are_sorted_by_their_bounds() {
        let usage = Usage::default();
        for millis in [0, 5, 6, 10_000, 10_001] {
            usage.took(Duration::from_millis(millis));
        }
        assert_eq!(usage.latencies(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((usage.get(Count::Requests), usage.latency()), (5, Duration::from_millis(20_012)));
    }
}
