//! What each tenant has used in this process.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::Usage;
use crate::TenantId;

/// What each tenant has used. Every tenant is counted by itself; shown by themselves are only the first so many, and all
/// others together, so that whoever collects it does not drown, however many tenants there are.
#[derive(Debug)]
pub struct Usages {
    tenants_max: usize,
    table: RwLock<Table>,
    /// What those have used that are not shown by themselves and are not remembered any more.
    others: Usage,
    nobody: Arc<Usage>,
}

#[derive(Debug, Default)]
struct Table {
    tenants: HashMap<TenantId, Counted>,
    shown: usize,
}

#[derive(Debug)]
struct Counted {
    usage: Arc<Usage>,
    is_shown: bool,
}

impl Usages {
    /// How many tenants are shown by themselves, unless told otherwise. Knob `metrics.tenants_max`.
    pub const TENANTS_MAX: usize = 1000;

    /// Of which this many are shown by themselves.
    pub fn new(tenants_max: usize) -> Self {
        Self { tenants_max, table: RwLock::default(), others: Usage::default(), nobody: Arc::default() }
    }

    /// What is counted for a tenant.
    pub fn of(&self, tenant: TenantId) -> Arc<Usage> {
        let known = self.read().tenants.get(&tenant).map(|counted| Arc::clone(&counted.usage));
        known.unwrap_or_else(|| self.begin(tenant))
    }

    /// What is counted for requests that name no tenant that there is.
    pub const fn nobody(&self) -> &Arc<Usage> {
        &self.nobody
    }

    /// What those together have used that are not shown by themselves.
    pub fn others(&self) -> Arc<Usage> {
        let all = Usage::default();
        let table = self.read();
        all.add_all(&self.others);
        table.tenants.values().filter(|counted| !counted.is_shown).for_each(|counted| all.add_all(&counted.usage));
        Arc::new(all)
    }

    /// What those have used that are shown by themselves, in the order of the tenants.
    pub fn own(&self) -> Vec<(TenantId, Arc<Usage>)> {
        let table = self.read();
        let shown = table.tenants.iter().filter(|(_, counted)| counted.is_shown);
        let mut shown: Vec<_> = shown.map(|(tenant, counted)| (*tenant, Arc::clone(&counted.usage))).collect();
        drop(table);
        shown.sort_by_key(|(tenant, _)| *tenant);
        shown
    }

    /// Goes through what every tenant has used. Nobody else is counted for the first time meanwhile.
    pub(super) fn each(&self, mut look: impl FnMut(TenantId, &Usage)) {
        self.read().tenants.iter().for_each(|(tenant, counted)| look(*tenant, &counted.usage));
    }

    /// Forgets a tenant that is gone, and makes room for another.
    pub fn forget(&self, tenant: TenantId) {
        let mut table = self.write();
        match table.tenants.remove(&tenant) {
            Some(Counted { is_shown: true, .. }) => table.shown -= 1,
            Some(Counted { usage, .. }) => self.others.add_all(&usage),
            None => {}
        }
    }

    /// Forgets those that are not shown by themselves, for whom nobody works, and of whom everything was taken.
    pub(super) fn forget_idle(&self) {
        self.write().tenants.retain(|_, Counted { usage, is_shown }| {
            // Who works for a tenant has got it from here, for which nobody else has the lock now.
            let stays = *is_shown || Arc::strong_count(usage) > 1 || !usage.is_taken();
            if !stays {
                self.others.add_all(usage);
            }
            stays
        });
    }

    fn begin(&self, tenant: TenantId) -> Arc<Usage> {
        let mut table = self.write();
        if let Some(counted) = table.tenants.get(&tenant) {
            return Arc::clone(&counted.usage);
        }
        let counted = Counted { usage: Arc::default(), is_shown: table.shown < self.tenants_max };
        table.shown += usize::from(counted.is_shown);
        Arc::clone(&table.tenants.entry(tenant).or_insert(counted).usage)
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
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
    use crate::Count;

    #[test]
    fn the_first_are_shown_by_themselves() {
        let usages = Usages::new(2);
        let tenants = [1, 2, 3, 4].map(TenantId::new);
        for (more, tenant) in (1..).zip(tenants) {
            usages.of(tenant).add(Count::Statements, more);
        }
        let own: Vec<_> = usages.own().iter().map(|(id, usage)| (*id, usage.get(Count::Statements))).collect();
        assert_eq!(own, [(tenants[0], 1), (tenants[1], 2)]);
        assert_eq!(usages.others().get(Count::Statements), 7);
        assert_eq!(usages.of(tenants[3]).get(Count::Statements), 4, "and all are counted by themselves");
        usages.forget(tenants[0]);
        usages.of(TenantId::new(5)).add(Count::Statements, 1);
        assert_eq!(usages.own().len(), 2, "there is room again");
    }

    #[test]
    fn who_is_idle_is_forgotten_and_what_it_has_used_is_not() {
        let usages = Usages::new(1);
        let [shown, idle, busy, new] = [1, 2, 3, 4].map(|id| (TenantId::new(id), usages.of(TenantId::new(id))));
        for (_, usage) in [&shown, &idle, &busy, &new] {
            usage.add(Count::Requests, 1);
        }
        for (_, usage) in [&shown, &idle, &busy] {
            usage.take();
        }
        drop((shown, idle.1, new.1));
        usages.forget_idle();
        let mut left = Vec::new();
        usages.each(|tenant, _| left.push(tenant.get()));
        left.sort_unstable();
        assert_eq!(left, [1, 3, 4]);
        assert_eq!(usages.others().get(Count::Requests), 3);
        drop(busy);
    }
}
