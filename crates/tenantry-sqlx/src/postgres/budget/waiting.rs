//! Who waits, in turns.

use std::collections::{HashMap, VecDeque};

use tenantry_core::TenantId;
use tokio::sync::oneshot;

/// Those who wait: each tenant's in the order of their coming, the tenants one after the other.
pub(super) struct Waiting<T> {
    queues: HashMap<TenantId, VecDeque<oneshot::Sender<T>>>,
    /// Each tenant that has a queue, once.
    turns: VecDeque<TenantId>,
}

impl<T> Waiting<T> {
    pub(super) fn push(&mut self, tenant: TenantId, waiter: oneshot::Sender<T>) {
        let queue = self.queues.entry(tenant).or_default();
        if queue.is_empty() {
            self.turns.push_back(tenant);
        }
        queue.push_back(waiter);
    }

    /// The one whose turn it is.
    pub(super) fn next(&mut self) -> Option<oneshot::Sender<T>> {
        while let Some(tenant) = self.turns.pop_front() {
            let Some(mut queue) = self.queues.remove(&tenant) else { continue };
            queue.retain(|waiter| !waiter.is_closed());
            let next = queue.pop_front();
            if !queue.is_empty() {
                self.turns.push_back(tenant);
                self.queues.insert(tenant, queue);
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }

    /// How many wait. Those who have gone away are forgotten.
    pub(super) fn len(&mut self) -> usize {
        self.forget_gone();
        self.queues.values().map(VecDeque::len).sum()
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&mut self) -> bool {
        if !self.turns.is_empty() {
            self.forget_gone();
        }
        self.turns.is_empty()
    }

    fn forget_gone(&mut self) {
        self.queues.retain(|_, queue| {
            queue.retain(|waiter| !waiter.is_closed());
            !queue.is_empty()
        });
        self.turns.retain(|tenant| self.queues.contains_key(tenant));
    }
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { queues: HashMap::new(), turns: VecDeque::new() }
    }
}
