//! One budget of connections for all tenants.
//!
//! A server has so many connections, whoever uses them: the shared database, and the databases that tenants have of their
//! own. A connection that lies idle for one database makes room for another. When all are in use, tenants wait in turns:
//! the next free connection goes to the tenant whose turn it is, however many others one tenant waits for.

mod waiting;

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tenantry_core::TenantId;
use tokio::sync::oneshot;

use self::waiting::Waiting;

/// Which database a connection is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// The one that tenants share.
    Shared,
    /// The one that a tenant has of its own.
    Dedicated(TenantId),
}

/// The connections that there may be, and those that there are.
pub(super) struct Budget<C> {
    max: usize,
    waiters_max: usize,
    state: Mutex<State<C>>,
}

struct State<C> {
    /// How many are open, or being opened.
    open: usize,
    /// Those that nobody uses, the longest idle first.
    idle: VecDeque<Idle<C>>,
    waiting: Waiting<Slot<C>>,
}

struct Idle<C> {
    target: Target,
    connection: C,
    since: Instant,
}

/// A place in the budget, with a connection in it or room for one.
pub(super) struct Slot<C> {
    /// Nothing once the place is given back.
    budget: Option<Arc<Budget<C>>>,
    idle: Option<Idle<C>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSlot {
    /// None became free in time.
    TimedOut,
    /// Too many wait already.
    TooManyWait,
}

impl<C> Budget<C> {
    /// At most `max` connections at once, and `waiters_max` who wait for one.
    pub(super) fn new(max: usize, waiters_max: usize) -> Arc<Self> {
        let state = State { open: 0, idle: VecDeque::new(), waiting: Waiting::default() };
        Arc::new(Self { max: max.max(1), waiters_max, state: Mutex::new(state) })
    }

    /// A place for a tenant, with an idle connection to `target` if there is one.
    pub(super) async fn take(
        self: &Arc<Self>,
        tenant: TenantId,
        target: Target,
        wait: Duration,
    ) -> Result<Slot<C>, NoSlot> {
        let waits = match self.try_take(tenant, target)? {
            Ok(slot) => return Ok(slot.for_target(target)),
            Err(waits) => waits,
        };
        match tokio::time::timeout(wait, waits).await {
            Ok(Ok(slot)) => Ok(slot.for_target(target)),
            // The sender is dropped with the budget only, which `self` keeps.
            Ok(Err(_)) | Err(_) => Err(NoSlot::TimedOut),
        }
    }

    fn try_take(
        self: &Arc<Self>,
        tenant: TenantId,
        target: Target,
    ) -> Result<Result<Slot<C>, oneshot::Receiver<Slot<C>>>, NoSlot> {
        let mut state = self.lock();
        // Who comes later does not overtake.
        if state.waiting.is_empty() {
            let ready = state.idle.iter().rposition(|idle| idle.target == target);
            if let Some(idle) = ready.and_then(|at| state.idle.remove(at)) {
                return Ok(Ok(self.slot(Some(idle))));
            }
            if state.open < self.max {
                state.open += 1;
                return Ok(Ok(self.slot(None)));
            }
            if let Some(idle) = state.idle.pop_front() {
                return Ok(Ok(self.slot(Some(idle))));
            }
        }
        if state.waiting.len() >= self.waiters_max {
            return Err(NoSlot::TooManyWait);
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push(tenant, sender);
        Ok(Err(receiver))
    }

    /// Closes what nobody has used for long.
    pub(super) fn close_idle(&self, longer_than: Duration) {
        let mut closed = Vec::new();
        let mut state = self.lock();
        while state.idle.front().is_some_and(|idle| idle.since.elapsed() > longer_than) {
            closed.extend(state.idle.pop_front());
            state.open -= 1;
        }
        drop(state);
    }

    /// Closes what nobody uses of the connections to a database.
    fn close_idle_to(&self, target: Target) {
        let mut state = self.lock();
        let (closed, kept) = state.idle.drain(..).partition::<VecDeque<_>, _>(|idle| idle.target == target);
        state.idle = kept;
        state.open -= closed.len();
        drop(state);
    }

    fn give_back(self: &Arc<Self>, mut idle: Option<Idle<C>>) {
        loop {
            let mut state = self.lock();
            let Some(waiter) = state.waiting.next() else {
                match idle {
                    Some(idle) => state.idle.push_back(idle),
                    None => state.open -= 1,
                }
                return;
            };
            drop(state);
            match waiter.send(self.slot(idle.take())) {
                Ok(()) => return,
                // It has gone away; the place goes to the next one.
                Err(mut slot) => {
                    idle = slot.idle.take();
                    slot.budget = None;
                }
            }
        }
    }

    fn slot(self: &Arc<Self>, idle: Option<Idle<C>>) -> Slot<C> {
        Slot { budget: Some(Arc::clone(self)), idle }
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Slot<C> {
    /// The connection in it, and for how long nobody has used it.
    pub(super) fn connection(&mut self) -> Option<(C, Duration)> {
        let Idle { connection, since, .. } = self.idle.take()?;
        Some((connection, since.elapsed()))
    }

    /// The place, for somebody else to give back.
    pub(super) fn take(&mut self) -> Self {
        Self { budget: self.budget.take(), idle: self.idle.take() }
    }

    /// Closes what nobody uses of the connections to a database.
    pub(super) fn close_idle_to(&self, target: Target) {
        if let Some(budget) = &self.budget {
            budget.close_idle_to(target);
        }
    }

    /// Gives the place back with a connection that the next one may use. Without this it is room for a new one.
    pub(super) fn put_back(mut self, target: Target, connection: C) {
        self.idle = Some(Idle { target, connection, since: Instant::now() });
    }

    /// A connection to another database is closed; its place stays.
    fn for_target(mut self, target: Target) -> Self {
        self.idle = self.idle.take().filter(|idle| idle.target == target);
        self
    }
}

impl<C> Drop for Slot<C> {
    fn drop(&mut self) {
        if let Some(budget) = self.budget.take() {
            budget.give_back(self.idle.take());
        }
    }
}

impl<C> fmt::Debug for Budget<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut state = self.lock();
        let (idle, waiting) = (state.idle.len(), state.waiting.len());
        f.debug_struct("Budget").field("open", &state.open).field("idle", &idle).field("waiting", &waiting).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn tenant(number: i64) -> TenantId {
        TenantId::new(number)
    }

    async fn shared(budget: &Arc<Budget<u32>>, number: i64) -> Slot<u32> {
        budget.take(tenant(number), Target::Shared, SECOND).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_put_back_is_used_again_by_whoever_wants_the_same_database() {
        let budget = Budget::new(2, 10);
        let mut slot = shared(&budget, 1).await;
        assert!(slot.connection().is_none());
        slot.put_back(Target::Shared, 7);
        let own = Target::Dedicated(tenant(2));
        let mut other = budget.take(tenant(2), own, SECOND).await.unwrap();
        assert!(other.connection().is_none());
        assert_eq!(shared(&budget, 2).await.connection().unwrap().0, 7);
    }

    #[tokio::test]
    async fn an_idle_connection_makes_room_for_another_database() {
        let budget = Budget::new(1, 10);
        shared(&budget, 1).await.put_back(Target::Shared, 7);
        let own = Target::Dedicated(tenant(2));
        let mut other = budget.take(tenant(2), own, SECOND).await.unwrap();
        assert!(other.connection().is_none());
        assert_eq!(format!("{budget:?}"), "Budget { open: 1, idle: 0, waiting: 0 }");
        drop(other);
        assert_eq!(format!("{budget:?}"), "Budget { open: 0, idle: 0, waiting: 0 }");
    }

    #[tokio::test]
    async fn tenants_take_turns() {
        let budget = Budget::new(1, 10);
        let first = shared(&budget, 1).await;
        let mut order = Vec::new();
        let mut waits: Vec<_> = [1, 1, 1, 2, 3]
            .into_iter()
            .map(|number| (number, budget.try_take(tenant(number), Target::Shared).unwrap().err().unwrap()))
            .collect();
        drop(first);
        while !waits.is_empty() {
            let at = waits.iter_mut().position(|(_, wait)| !wait.is_empty()).unwrap();
            let (number, mut wait) = waits.remove(at);
            order.push(number);
            drop(wait.try_recv().unwrap());
        }
        assert_eq!(order, [1, 2, 3, 1, 1]);
        assert_eq!(format!("{budget:?}"), "Budget { open: 0, idle: 0, waiting: 0 }");
    }

    #[tokio::test]
    async fn who_gives_up_waiting_loses_no_connection() {
        let budget = Budget::new(1, 2);
        let slot = shared(&budget, 1).await;
        let timed_out = budget.take(tenant(2), Target::Shared, Duration::from_millis(5)).await.err();
        assert_eq!(timed_out, Some(NoSlot::TimedOut));
        // One that went away between the sending and the receiving.
        let wait = budget.try_take(tenant(3), Target::Shared).unwrap().err().unwrap();
        slot.put_back(Target::Shared, 7);
        drop(wait);
        assert_eq!(shared(&budget, 4).await.connection().unwrap().0, 7);
    }

    #[tokio::test]
    async fn too_many_do_not_wait() {
        let budget: Arc<Budget<u32>> = Budget::new(1, 1);
        let slot = shared(&budget, 1).await;
        let wait = budget.try_take(tenant(2), Target::Shared).unwrap().err().unwrap();
        assert_eq!(budget.try_take(tenant(3), Target::Shared).err(), Some(NoSlot::TooManyWait));
        drop(wait);
        assert!(budget.try_take(tenant(3), Target::Shared).is_ok());
        drop(slot);
    }

    #[tokio::test]
    async fn what_is_idle_to_one_database_is_closed_and_makes_room() {
        let budget: Arc<Budget<u32>> = Budget::new(3, 1);
        let own = Target::Dedicated(tenant(1));
        let (one, two, three) = (shared(&budget, 1).await, shared(&budget, 1).await, shared(&budget, 1).await);
        one.put_back(own, 1);
        two.put_back(Target::Shared, 2);
        three.close_idle_to(own);
        assert_eq!(format!("{budget:?}"), "Budget { open: 2, idle: 1, waiting: 0 }");
        assert_eq!(shared(&budget, 2).await.connection().unwrap().0, 2);
    }

    #[tokio::test]
    async fn what_is_idle_is_closed_in_time() {
        let budget = Budget::new(3, 1);
        let (one, two) = (shared(&budget, 1).await, shared(&budget, 1).await);
        one.put_back(Target::Shared, 1);
        two.put_back(Target::Dedicated(tenant(1)), 2);
        budget.close_idle(SECOND);
        assert_eq!(format!("{budget:?}"), "Budget { open: 2, idle: 2, waiting: 0 }");
        budget.close_idle(Duration::ZERO);
        assert_eq!(format!("{budget:?}"), "Budget { open: 0, idle: 0, waiting: 0 }");
    }
}
