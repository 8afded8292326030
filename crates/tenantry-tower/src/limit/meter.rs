//! What each tenant has used.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock};
use tenantry_core::{Code, Limits, Refusal, Scope, TenantId};

/// The meters of all tenants that have sent requests lately.
#[derive(Debug)]
pub(super) struct Meters {
    table: RwLock<Table>,
}

#[derive(Debug)]
struct Table {
    meters: HashMap<TenantId, Arc<Meter>>,
    /// When there are this many, those that say nothing any more are dropped.
    sweep_at: usize,
}

impl Meters {
    /// The tenant's meter, made anew when its limits have changed.
    pub(super) fn of(&self, scope: &Scope) -> Arc<Meter> {
        let known = self.table.read().unwrap_or_else(PoisonError::into_inner).meters.get(&scope.id()).cloned();
        match known {
            Some(meter) if meter.is_for(scope) => meter,
            _ => self.table.write().unwrap_or_else(PoisonError::into_inner).replace(scope),
        }
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self { table: RwLock::new(Table { meters: HashMap::new(), sweep_at: SWEEP_AT_MIN }) }
    }
}

impl Table {
    fn replace(&mut self, scope: &Scope) -> Arc<Meter> {
        if self.meters.len() >= self.sweep_at {
            self.meters.retain(|_, meter| Arc::strong_count(meter) > 1 || !meter.is_rested());
            self.sweep_at = (self.meters.len() * 2).max(SWEEP_AT_MIN);
        }
        let meter = Arc::new(Meter::new(scope));
        self.meters.insert(scope.id(), Arc::clone(&meter));
        meter
    }
}

const SWEEP_AT_MIN: usize = 1024;

/// What one tenant has used of its limits.
pub(super) struct Meter {
    tenant: TenantId,
    limits: Limits,
    rate: Option<DefaultDirectRateLimiter>,
    in_flight: AtomicU32,
}

impl Meter {
    fn new(scope: &Scope) -> Self {
        let limits = *scope.limits();
        let quota = |rate: tenantry_core::Rate| Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let rate = limits.rate.map(|rate| RateLimiter::direct(quota(rate)));
        Self { tenant: scope.id(), limits, rate, in_flight: AtomicU32::new(0) }
    }

    /// Counts one more request, until the permit is dropped.
    pub(super) fn enter(self: &Arc<Self>, scope: &Scope) -> Result<Permit, Refusal> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        // From here on, dropping the permit takes the request off the count again.
        let mut permit = Permit { meter: Arc::clone(self), scope: scope.clone(), begun: None };
        if self.limits.in_flight_max.is_some_and(|max| before >= max) {
            return Err(Refusal::new(Code::InFlightLimited).retry_after(SOON));
        }
        if let Some(rate) = &self.rate {
            rate.check().map_err(|not_until| {
                let wait = not_until.wait_time_from(rate.clock().now());
                Refusal::new(Code::RateLimited).retry_after(wait)
            })?;
        }
        permit.begun = Some(Instant::now());
        Ok(permit)
    }

    /// Whether a new meter would say the same: nothing is under way, and the whole burst is there again.
    fn is_rested(&self) -> bool {
        let burst_is_there = |rate: &DefaultDirectRateLimiter| {
            self.limits.rate.is_none_or(|limit| matches!(rate.check_n(limit.burst), Ok(Ok(()))))
        };
        self.in_flight.load(Ordering::Relaxed) == 0 && self.rate.as_ref().is_none_or(burst_is_there)
    }
}

impl Meter {
    /// Whether it counts against the limits that the tenant has now.
    pub(super) fn is_for(&self, scope: &Scope) -> bool {
        self.tenant == scope.id() && self.limits == *scope.limits()
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("limits", &self.limits)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// How long a client is asked to wait for another of the tenant's requests to end.
const SOON: Duration = Duration::from_secs(1);

/// One request under way.
#[derive(Debug)]
pub(super) struct Permit {
    meter: Arc<Meter>,
    scope: Scope,
    /// When it was let in.
    begun: Option<Instant>,
}

impl Permit {
    /// The scope of the request.
    pub(super) const fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.meter.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(begun) = self.begun {
            self.scope.usage().took(begun.elapsed());
        }
    }
}
