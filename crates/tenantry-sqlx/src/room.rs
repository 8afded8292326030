//! How many rows a tenant may still insert into shared tables.
//!
//! Nobody counts for each statement. What a process knows is an estimate: the rows that it has counted, and what its own
//! statements have inserted and deleted since. It is counted anew where the estimate may be wrong by more than a tenth of
//! what the tenant may have, where it is old, and, close to the limit, as often as counting takes little of a connection's
//! time; and after a statement that inserts rows of which the database does not say how many they were.
//!
//! What the estimate does not know, and the next count finds: what other processes do, what foreign keys and triggers
//! delete, what a savepoint undoes that a statement has set.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use tenantry_core::TenantId;

/// How long a count is believed without a reason to doubt it.
const RECOUNT: Duration = Duration::from_secs(300);

/// A count is believed for so many times as long as it took.
const SHARE: u32 = 20;

/// How much of what a tenant may have is taken for little: a tenth.
const MARGIN: i64 = 10;

/// How often a tenant without room is told of in the log, at most.
const TELL: Duration = Duration::from_secs(60);

/// What is known of each tenant's rows, for those whose plans limit them.
#[derive(Debug, Default)]
pub(crate) struct Rooms(Mutex<HashMap<TenantId, Arc<Room>>>);

impl Rooms {
    /// A tenant's.
    pub(crate) fn of(&self, tenant: TenantId) -> Arc<Room> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default())
    }
}

/// What is known of a tenant's rows.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Those that are committed, as far as is known.
    kept: AtomicI64,
    /// Those that transactions under way in this process have inserted.
    pending: AtomicI64,
    last: Mutex<Last>,
    /// Held by who counts.
    counting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Last {
    count: Option<Count>,
    told: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    at: Instant,
    took: Duration,
    kept: i64,
    is_doubted: bool,
}

/// A count that has begun.
#[derive(Debug)]
pub(crate) struct Counting<'a> {
    room: &'a Room,
    began: Instant,
    kept: i64,
    _alone: tokio::sync::MutexGuard<'a, ()>,
}

impl Room {
    /// How many rows there are, as far as is known.
    pub(crate) fn used(&self) -> i64 {
        self.kept.load(Ordering::Relaxed) + self.pending.load(Ordering::Relaxed)
    }

    /// Begins a count, if one is due for a tenant that may have `max` rows.
    pub(crate) async fn count_if_due(&self, max: i64) -> Option<Counting<'_>> {
        if !self.is_due(max) {
            return None;
        }
        let alone = self.counting.lock().await;
        let kept = self.kept.load(Ordering::Relaxed);
        // Somebody else may have counted meanwhile.
        self.is_due(max).then(|| Counting { room: self, began: Instant::now(), kept, _alone: alone })
    }

    fn is_due(&self, max: i64) -> bool {
        let Some(count) = self.last().count else { return true };
        let age = count.at.elapsed();
        if age < count.took * SHARE {
            return false;
        }
        let used = self.used();
        count.is_doubted || age > RECOUNT || used >= max - max / MARGIN || used - count.kept > max / MARGIN
    }

    /// What was counted is of no use any more.
    pub(crate) fn forget(&self) {
        self.last().count = None;
    }

    /// The estimate may be wrong.
    pub(crate) fn doubt(&self) {
        if let Some(count) = &mut self.last().count {
            count.is_doubted = true;
        }
    }

    /// Whether the estimate may be wrong, as it is before anything was counted.
    pub(crate) fn is_doubted(&self) -> bool {
        self.last().count.is_none_or(|count| count.is_doubted)
    }

    /// A transaction that is under way has inserted rows.
    pub(crate) fn insert(&self, rows: i64) {
        self.pending.fetch_add(rows, Ordering::Relaxed);
    }

    /// What a transaction did is kept.
    pub(crate) fn keep(&self, inserted: i64, deleted: i64) {
        self.kept.fetch_add(inserted - deleted, Ordering::Relaxed);
        self.pending.fetch_sub(inserted, Ordering::Relaxed);
    }

    /// What a transaction did is undone.
    pub(crate) fn undo(&self, inserted: i64) {
        self.pending.fetch_sub(inserted, Ordering::Relaxed);
    }

    /// Whether it is time to tell once more that there is no room.
    pub(crate) fn tells(&self) -> bool {
        let told = &mut self.last().told;
        let tells = told.is_none_or(|told| told.elapsed() > TELL);
        if tells {
            *told = Some(Instant::now());
        }
        tells
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counting<'_> {
    /// So many were found to be committed.
    pub(crate) fn found(self, kept: i64) {
        // What was committed while it was counted may be in the count or not. It is taken for not.
        let meanwhile = self.room.kept.load(Ordering::Relaxed) - self.kept;
        let kept = kept + meanwhile.max(0);
        self.room.kept.store(kept, Ordering::Relaxed);
        let now = Instant::now();
        let count = Count { at: now, took: now - self.began, kept, is_doubted: false };
        self.room.last().count = Some(count);
    }
}

/// What one statement may insert, where the database tells of each row.
#[derive(Debug)]
pub(crate) struct Claim {
    room: Arc<Room>,
    /// How many rows there may be.
    allowed: i64,
    inserted: AtomicI64,
    is_refused: AtomicBool,
}

impl Claim {
    pub(crate) fn new(room: Arc<Room>, allowed: i64) -> Self {
        Self { room, allowed, inserted: AtomicI64::new(0), is_refused: AtomicBool::new(false) }
    }

    /// Another row is inserted. Says whether there is room for it.
    pub(crate) fn insert(&self) -> bool {
        self.inserted.fetch_add(1, Ordering::Relaxed);
        self.room.insert(1);
        let fits = self.room.used() <= self.allowed;
        if !fits {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        fits
    }

    /// Whether there was no room for a row.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// How many rows were inserted, which are somebody else's to keep or to undo from now on.
    pub(crate) fn take(&self) -> i64 {
        self.inserted.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.room.undo(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_counted_at_first_and_close_to_the_limit() {
        let room = Room::default();
        room.count_if_due(100).await.unwrap().found(10);
        let slow = |kept| Count { at: Instant::now(), took: Duration::ZERO, kept, is_doubted: false };
        room.last().count = Some(slow(10));
        assert!(room.count_if_due(100).await.is_none());
        room.insert(10);
        assert!(room.count_if_due(100).await.is_none(), "a tenth is little");
        room.insert(1);
        room.count_if_due(100).await.unwrap().found(89);
        room.last().count = Some(slow(89));
        assert_eq!(room.used(), 100);
        assert!(room.count_if_due(100).await.is_some());
        room.last().count = Some(Count { took: Duration::from_secs(60), ..slow(89) });
        assert!(room.count_if_due(100).await.is_none(), "counting takes its share of time, and no more");
    }

    #[tokio::test]
    async fn what_is_committed_while_it_is_counted_is_not_forgotten() {
        let room = Room::default();
        room.insert(5);
        let counting = room.count_if_due(100).await.unwrap();
        room.keep(5, 0);
        counting.found(7);
        assert_eq!(room.used(), 12);
    }

    #[test]
    fn a_claim_that_nobody_settles_is_given_back() {
        let room = Arc::new(Room::default());
        let claim = Claim::new(Arc::clone(&room), 2);
        assert!(claim.insert() && claim.insert());
        assert!(!claim.is_refused() && !claim.insert() && claim.is_refused());
        drop(claim);
        assert_eq!(room.used(), 0);
    }
}
