//! One computation of a value at a time.
//!
//! Who misses a value boards the flight to it. The first aboard computes; the others wait for what comes of it. When
//! nothing does, since the computation failed, panicked or was dropped, the next one aboard computes.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tenantry_core::TenantId;

use super::store::Epoch;

/// The computations that are under way.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Value, Arc<Flight>>>);

/// Whose value, and its key.
type Value = (TenantId, Box<str>);

pub(super) struct Flight {
    /// Since when: what began before a `clear` is of no use to those who come after it.
    epoch: Epoch,
    /// Whether the value was written or deleted meanwhile.
    outdated: AtomicBool,
    /// What was computed. Whoever has the lock is the one who computes.
    pub(super) landed: tokio::sync::Mutex<Option<Bytes>>,
}

impl Flight {
    pub(super) fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::Acquire)
    }

    fn outdate(&self) {
        self.outdated.store(true, Ordering::Release);
    }
}

impl Flights {
    /// Boards the flight to a value.
    pub(super) fn board(&self, tenant: TenantId, key: &str, epoch: &Epoch) -> Aboard<'_> {
        let begin = || {
            let landed = tokio::sync::Mutex::new(None);
            Arc::new(Flight { epoch: epoch.clone(), outdated: AtomicBool::new(false), landed })
        };
        let value = (tenant, Box::from(key));
        let flight = match self.lock().entry(value.clone()) {
            Entry::Vacant(vacant) => Arc::clone(vacant.insert(begin())),
            Entry::Occupied(mut occupied) => {
                if occupied.get().epoch != *epoch {
                    occupied.insert(begin()).outdate();
                }
                Arc::clone(occupied.get())
            }
        };
        Aboard { flights: self, value, flight }
    }

    /// Nobody boards the flight to this value any more, and what comes of it is not kept: the value was written or deleted
    /// since it began.
    pub(super) fn outdate(&self, tenant: TenantId, key: &str) {
        let mut flights = self.lock();
        if flights.is_empty() {
            return;
        }
        if let Some(flight) = flights.remove(&(tenant, Box::from(key))) {
            flight.outdate();
        }
    }

    /// The same for all values of a tenant.
    pub(super) fn outdate_all(&self, tenant: TenantId) {
        for (_, flight) in self.lock().extract_if(|(of, _), _| *of == tenant) {
            flight.outdate();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Value, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place aboard. The flight is over when nobody is aboard.
pub(super) struct Aboard<'a> {
    flights: &'a Flights,
    value: Value,
    pub(super) flight: Arc<Flight>,
}

impl Drop for Aboard<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        let Entry::Occupied(occupied) = flights.entry(self.value.clone()) else { return };
        // One is the map's, one is ours. Both are counted under the lock, by which alone more are made.
        if Arc::ptr_eq(occupied.get(), &self.flight) && Arc::strong_count(&self.flight) == 2 {
            occupied.remove();
        }
    }
}
