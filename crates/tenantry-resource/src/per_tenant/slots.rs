//! The table of resources: one slot per tenant that is building, live, or backing off.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tenantry_core::{Revision, Scope, TenantId};
use tokio::time::Instant;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use super::{Bounds, BuildError, Held, MakeResource, Unavailable, held::Live};

pub(super) struct Slots<M: MakeResource> {
    slots: HashMap<TenantId, Slot<M>>,
    /// How many slots are building or live.
    occupied: usize,
    bounds: Bounds,
    /// One token for each resource that is building, live or closing.
    open: TaskTracker,
    shut: bool,
}

enum Slot<M: MakeResource> {
    Building(Arc<Building>),
    Failed(Failure),
    Live(Arc<Live<M>>),
}

struct Failure {
    error: BuildError,
    /// The record of the tenant that it was built for.
    revision: Revision,
    /// How often in a row.
    count: u32,
    again_at: Instant,
}

/// What a claim found, or began.
pub(super) enum Found<M: MakeResource> {
    /// The resource is there.
    Live(Held<M>),
    /// Somebody else builds it.
    Building(Arc<Building>),
    /// The caller has to build it, and to keep the token until it is closed.
    Begun(Arc<Building>, TaskTrackerToken),
}

/// A resource that had to make room; dropping it, outside the lock, closes it.
pub(super) type Evicted<M> = Option<Arc<Live<M>>>;

impl<M: MakeResource> Slots<M> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { slots: HashMap::new(), occupied: 0, bounds, open: TaskTracker::new(), shut: false }
    }

    pub(super) const fn open(&self) -> &TaskTracker {
        &self.open
    }

    pub(super) const fn occupied(&self) -> usize {
        self.occupied
    }

    /// The live resource that serves `scope`.
    pub(super) fn live(&self, scope: &Scope) -> Option<Held<M>> {
        match self.slots.get(&scope.id()) {
            Some(Slot::Live(live)) if live.serves(scope) => Some(Held::new(live)),
            _ => None,
        }
    }

    /// Finds the resource for `scope`, or begins to build it.
    pub(super) fn claim(&mut self, scope: &Scope, now: Instant) -> Result<(Found<M>, Evicted<M>), Unavailable> {
        if self.shut {
            return Err(Unavailable::ShuttingDown);
        }
        let mut failures = 0;
        match self.slots.get(&scope.id()) {
            Some(Slot::Live(live)) if live.serves(scope) => return Ok((Found::Live(Held::new(live)), None)),
            Some(Slot::Building(building)) => return Ok((Found::Building(Arc::clone(building)), None)),
            // A record that has been changed since may have been corrected.
            Some(Slot::Failed(failure)) if failure.revision < scope.tenant().revision => {}
            Some(Slot::Failed(failure)) if now < failure.again_at => {
                return Err(Unavailable::Build { error: failure.error.clone(), retry_in: failure.again_at - now });
            }
            Some(Slot::Failed(failure)) => failures = failure.count,
            Some(Slot::Live(_)) | None => {}
        }
        let evicted = match self.take_live(scope.id()) {
            None if self.occupied >= self.bounds.live_max => Some(self.take_idlest()?),
            outdated => outdated,
        };
        let building = Arc::new(Building::new(scope.tenant().revision, failures));
        self.slots.insert(scope.id(), Slot::Building(Arc::clone(&building)));
        self.occupied += 1;
        Ok((Found::Begun(building, self.open.token()), evicted))
    }

    /// Replaces the building slot by what came of it. Hands the resource back when nobody may use it any more.
    pub(super) fn finish(
        &mut self,
        tenant: TenantId,
        building: &Arc<Building>,
        built: Result<Arc<Live<M>>, BuildError>,
    ) -> Evicted<M> {
        let wanted = self.abandon(tenant, building) && !self.shut && !building.is_unwanted();
        let slot = match built {
            Ok(live) if !wanted => return Some(live),
            Ok(live) => {
                self.occupied += 1;
                Slot::Live(live)
            }
            Err(error) => {
                let count = building.failures.saturating_add(1);
                let again_at = Instant::now() + self.bounds.backoff(count);
                Slot::Failed(Failure { error, revision: building.revision, count, again_at })
            }
        };
        if wanted {
            self.slots.insert(tenant, slot);
        }
        None
    }

    /// Gives up a slot that is still building; says whether it was.
    pub(super) fn abandon(&mut self, tenant: TenantId, building: &Arc<Building>) -> bool {
        let ours = matches!(self.slots.get(&tenant), Some(Slot::Building(here)) if Arc::ptr_eq(here, building));
        if ours {
            self.slots.remove(&tenant);
            self.occupied -= 1;
        }
        ours
    }

    /// Takes out what was built, or is being built, for a record of the tenant before `revision`.
    pub(super) fn take_before(&mut self, tenant: TenantId, revision: Revision) -> Evicted<M> {
        match self.slots.get(&tenant)? {
            Slot::Live(live) if live.revision() < revision => self.take_live(tenant),
            Slot::Building(building) if building.revision < revision => {
                building.unwanted.store(true, Ordering::Relaxed);
                None
            }
            Slot::Building(_) | Slot::Failed(_) | Slot::Live(_) => None,
        }
    }

    /// Takes out the tenant's live resource.
    fn take_live(&mut self, tenant: TenantId) -> Evicted<M> {
        match self.slots.remove(&tenant)? {
            Slot::Live(live) => {
                self.occupied -= 1;
                Some(live)
            }
            other => {
                self.slots.insert(tenant, other);
                None
            }
        }
    }

    /// Refuses all claims from now on, and takes out every live resource.
    pub(super) fn shut(&mut self) -> Vec<Arc<Live<M>>> {
        self.shut = true;
        let tenants: Vec<_> = self.slots.keys().copied().collect();
        tenants.into_iter().filter_map(|tenant| self.take_live(tenant)).collect()
    }

    /// Takes out the resources that have been idle too long, and forgets failures that are long past.
    pub(super) fn take_idle(&mut self, now: Instant) -> Vec<Arc<Live<M>>> {
        let bounds = self.bounds;
        self.slots.retain(|_, slot| match slot {
            Slot::Failed(failure) => now.duration_since(failure.again_at) < bounds.backoff_max,
            Slot::Building(_) | Slot::Live(_) => true,
        });
        let idle = |slot: &Slot<M>| matches!(slot, Slot::Live(live) if live.is_unused() && live.idle() >= bounds.idle);
        let tenants: Vec<_> = self.slots.iter().filter(|(_, slot)| idle(slot)).map(|(tenant, _)| *tenant).collect();
        tenants.into_iter().filter_map(|tenant| self.take_live(tenant)).collect()
    }

    /// Takes out the resource that nobody has used for longest.
    fn take_idlest(&mut self) -> Result<Arc<Live<M>>, Unavailable> {
        let unused = self.slots.iter().filter_map(|(tenant, slot)| match slot {
            Slot::Live(live) if live.is_unused() => Some((live.idle(), *tenant)),
            _ => None,
        });
        let idlest = unused.max().map(|(_, tenant)| tenant);
        idlest.and_then(|tenant| self.take_live(tenant)).ok_or(Unavailable::Full { live_max: self.bounds.live_max })
    }
}

/// A resource that is being built, and those who wait for it.
pub(super) struct Building {
    /// The record of the tenant that it is built for.
    revision: Revision,
    /// How often in a row the build has failed before.
    failures: u32,
    /// Whether it was evicted before it was there.
    unwanted: AtomicBool,
    /// Cancelled when the build is over, however it ended.
    done: CancellationToken,
    waiting: AtomicUsize,
}

impl Building {
    fn new(revision: Revision, failures: u32) -> Self {
        let (unwanted, waiting) = (AtomicBool::new(false), AtomicUsize::new(0));
        Self { revision, failures, unwanted, done: CancellationToken::new(), waiting }
    }

    /// Waits until the build is over.
    pub(super) async fn wait(&self, waiters_max: usize) -> Result<(), Unavailable> {
        struct Leave<'a>(&'a AtomicUsize);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _leave = Leave(&self.waiting);
        if before >= waiters_max {
            return Err(Unavailable::WaitersFull { waiters_max });
        }
        self.done.cancelled().await;
        // Whoever has waited was admitted before the tenant changed, and has to be admitted again.
        if self.is_unwanted() { Err(Unavailable::Evicted) } else { Ok(()) }
    }

    fn is_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::Relaxed)
    }

    pub(super) fn over(&self) {
        self.done.cancel();
    }
}
