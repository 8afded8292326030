//! From what a process counts to what is kept: hour by hour.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Amounts, Batch, Hour, UsageError, UsageStore, Usages, Used};
use crate::{Mirror, Status, TenantId};

/// How many hours of tenants are kept in memory while the store is away. What comes after is added to a later hour.
const WAITING_MAX: usize = 100_000;

/// How much is written at once.
const BATCH_MAX: usize = 5_000;

/// Brings what a process has counted to a store, from time to time.
///
/// 1. Nothing is counted twice: a batch whose fate is not known is given again as it was, and the store takes it once.
/// 2. While the store is away, everything is kept in memory, which is bounded, and written when it is back.
/// 3. What is counted for a tenant that is being deleted is not written any more, so that nothing is left of it.
#[derive(Debug)]
pub struct Meter {
    usages: Arc<Usages>,
    mirror: Arc<Mirror>,
    process: i64,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// What was given to the store last, if it has not said that it has it.
    unanswered: Option<Batch>,
    used: BTreeMap<(TenantId, Hour), Amounts>,
    batches: i64,
}

impl Meter {
    /// Of what is counted in `usages`, for the tenants in `mirror`. `process` is a number by chance.
    pub fn new(usages: Arc<Usages>, mirror: Arc<Mirror>, process: i64) -> Self {
        Self { usages, mirror, process, waiting: Mutex::default() }
    }

    /// Gives the store what was counted since the last time, as used in this hour.
    ///
    /// One at a time: whoever calls it again meanwhile gives the same once more, which the store ignores.
    ///
    /// # Errors
    ///
    /// When the store cannot be written. Then nothing is lost: it goes along with the next call.
    pub async fn flush(&self, store: &dyn UsageStore, hour: Hour) -> Result<(), UsageError> {
        self.collect(hour);
        // At first what is unanswered, then what has come since.
        while let Some(batch) = self.next() {
            store.add(&batch).await?;
            self.done(&batch);
        }
        Ok(())
    }

    fn collect(&self, hour: Hour) {
        let mut waiting = self.waiting();
        self.usages.each(|tenant, usage| {
            let place = (tenant, hour);
            let has_room = waiting.used.len() < WAITING_MAX || waiting.used.contains_key(&place);
            if !has_room || self.is_gone(tenant) {
                return;
            }
            let more = usage.take();
            if !more.is_nothing() {
                *waiting.used.entry(place).or_default() += more;
            }
        });
        drop(waiting);
        self.usages.forget_idle();
    }

    /// What the store is to get next.
    fn next(&self) -> Option<Batch> {
        let mut waiting = self.waiting();
        let Waiting { unanswered, used, batches } = &mut *waiting;
        used.retain(|(tenant, _), _| !self.is_gone(*tenant));
        let batch = match unanswered {
            Some(batch) => batch,
            None if used.is_empty() => return None,
            None => {
                *batches += 1;
                let first = std::iter::from_fn(|| used.pop_first()).take(BATCH_MAX);
                let used = first.map(|((tenant, hour), amounts)| Used { tenant, hour, amounts }).collect();
                unanswered.insert(Batch { process: self.process, number: *batches, used })
            }
        };
        batch.used.retain(|used| !self.is_gone(used.tenant));
        Some(batch.clone())
    }

    fn is_gone(&self, tenant: TenantId) -> bool {
        self.mirror.by_id(tenant).is_none_or(|tenant| tenant.status == Status::Deleting)
    }

    fn done(&self, batch: &Batch) {
        let mut waiting = self.waiting();
        if waiting.unanswered.as_ref().is_some_and(|unanswered| unanswered.number == batch.number) {
            waiting.unanswered = None;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::ready,
        sync::atomic::{AtomicBool, Ordering},
        task::{Context, Poll, Waker},
    };

    use super::*;
    use crate::{BoxFuture, Change, Count, Step, Tenant};

    /// Has what it was given, and says so or not.
    #[derive(Default)]
    struct Store {
        is_away: AtomicBool,
        batches: Mutex<Vec<Batch>>,
    }

    impl UsageStore for Store {
        fn add<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), UsageError>> {
            let mut batches = self.batches.lock().unwrap();
            if !batches.iter().any(|written| written.number == batch.number) {
                batches.push(batch.clone());
            }
            let away = UsageError { place: "here".into(), source: "away".into() };
            Box::pin(ready(if self.is_away.load(Ordering::Relaxed) { Err(away) } else { Ok(()) }))
        }

        fn read(&self, _: Option<TenantId>, _: Hour, _: Step) -> BoxFuture<'_, Result<Vec<Used>, UsageError>> {
            Box::pin(ready(Ok(Vec::new())))
        }

        fn hours(&self, _: TenantId) -> BoxFuture<'_, Result<u64, UsageError>> {
            Box::pin(ready(Ok(0)))
        }

        fn forget(&self, _: TenantId) -> BoxFuture<'_, Result<u64, UsageError>> {
            Box::pin(ready(Ok(0)))
        }

        fn expire(&self, _: Hour) -> BoxFuture<'_, Result<u64, UsageError>> {
            Box::pin(ready(Ok(0)))
        }
    }

    struct World {
        usages: Arc<Usages>,
        mirror: Arc<Mirror>,
        meter: Meter,
        store: Store,
    }

    impl World {
        fn new() -> Self {
            let tenants = [(1, "acme"), (2, "globex")];
            let tenants = tenants.map(|(id, slug)| Tenant::new(TenantId::new(id), slug.parse().unwrap()));
            let (usages, mirror) = (Arc::new(Usages::new(0)), Arc::new(Mirror::from_iter(tenants)));
            let meter = Meter::new(Arc::clone(&usages), Arc::clone(&mirror), 7);
            Self { usages, mirror, meter, store: Store::default() }
        }

        fn count(&self, tenant: i64, more: u64) {
            self.usages.of(TenantId::new(tenant)).add(Count::Requests, more);
        }

        fn flush(&self, hour: i64) -> bool {
            let flush = std::pin::pin!(self.meter.flush(&self.store, Hour::new(hour)));
            matches!(flush.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
        }

        fn written(&self) -> Vec<(i64, i64, u64)> {
            let batches = self.store.batches.lock().unwrap();
            let used = batches.iter().flat_map(|batch| &batch.used);
            used.map(|used| (used.tenant.get(), used.hour.get(), used.amounts.get(Count::Requests))).collect()
        }
    }

    #[test]
    fn what_cannot_be_written_is_written_later_and_once() {
        let world = World::new();
        world.count(1, 5);
        world.store.is_away.store(true, Ordering::Relaxed);
        assert!(!world.flush(10), "it was written, and nobody was told");
        world.count(1, 2);
        assert!(!world.flush(10));
        world.count(1, 1);
        world.count(2, 3);
        world.store.is_away.store(false, Ordering::Relaxed);
        assert!(world.flush(11));
        assert_eq!(world.written(), [(1, 10, 5), (1, 10, 2), (1, 11, 1), (2, 11, 3)]);
        assert!(world.flush(11));
        assert_eq!(world.written().len(), 4);
    }

    #[test]
    fn nothing_is_written_of_who_is_being_deleted() {
        let world = World::new();
        world.count(1, 5);
        world.count(2, 5);
        let mut acme = Tenant::clone(&world.mirror.by_id(TenantId::new(1)).unwrap());
        acme.status = Status::Deleting;
        world.mirror.apply(Change::Upserted(acme.clone()));
        world.count(3, 5);
        assert!(world.flush(10));
        assert_eq!(world.written(), [(2, 10, 5)]);
        // Who is brought back has lost nothing.
        acme.status = Status::Active;
        world.mirror.apply(Change::Upserted(acme));
        assert!(world.flush(10));
        assert_eq!(world.written(), [(2, 10, 5), (1, 10, 5)]);
    }
}
