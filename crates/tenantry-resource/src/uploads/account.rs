//! What a tenant has stored, and what its uploads under way have reserved.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tenantry_core::TenantId;
use tokio::{
    sync::{MutexGuard as Turn, RwLock},
    time::Instant,
};

/// How much a tenant has stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// How many objects.
    pub objects: u64,
    /// Their content.
    pub bytes: u64,
}

impl Usage {
    pub(super) const fn add(&mut self, bytes: u64) {
        self.objects = self.objects.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    const fn remove(&mut self, bytes: u64) {
        self.objects = self.objects.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// The accounts of the tenants that had anything to do with uploads.
#[derive(Debug, Default)]
pub(super) struct Accounts(Mutex<HashMap<TenantId, Arc<Account>>>);

impl Accounts {
    pub(super) fn of(&self, tenant: TenantId) -> Arc<Account> {
        Arc::clone(locked(&self.0).entry(tenant).or_default())
    }

    pub(super) fn forget(&self, tenant: TenantId) {
        locked(&self.0).remove(&tenant);
    }
}

/// What one tenant has.
#[derive(Debug, Default)]
pub(super) struct Account {
    sums: Mutex<Sums>,
    /// Held for reading while an object is put in its place or taken away, for writing while everything is counted: so that
    /// a count is of one moment.
    pub(super) settling: RwLock<()>,
    /// Who changes an object has the turn of its key, so that what it replaces is still there when it is measured.
    turns: [tokio::sync::Mutex<()>; TURNS],
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Sums {
    stored: Usage,
    /// What uploads under way have sent.
    reserved: u64,
    counted: Option<Instant>,
}

impl Account {
    /// What is stored, if it was counted less than `age_max` ago.
    pub(super) fn known(&self, age_max: Duration) -> Option<Usage> {
        let sums = locked(&self.sums);
        sums.counted.filter(|counted| counted.elapsed() < age_max).map(|_| sums.stored)
    }

    /// Notes what was counted. The caller holds `settling` for writing.
    pub(super) fn counted(&self, stored: Usage) {
        let mut sums = locked(&self.sums);
        (sums.stored, sums.counted) = (stored, Some(Instant::now()));
    }

    /// Nobody knows what is stored: it is counted before it is asked for again.
    pub(super) fn unknown(&self) {
        locked(&self.sums).counted = None;
    }

    /// Waits for the turn of an object.
    pub(super) async fn turn(&self, key: &str) -> Turn<'_, ()> {
        let turn = usize::try_from(self.hasher.hash_one(key)).unwrap_or(usize::MAX) % TURNS;
        self.turns[turn].lock().await
    }

    /// An object is gone.
    pub(super) fn removed(&self, bytes: u64) {
        locked(&self.sums).stored.remove(bytes);
    }
}

/// What an upload under way has taken from its tenant's quota. It is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    account: Arc<Account>,
    max: Option<u64>,
    bytes: u64,
    /// What the upload replaces, if that is known to be needed.
    replaced: Option<u64>,
}

impl Reservation {
    pub(super) const fn new(account: Arc<Account>, max: Option<u64>) -> Self {
        Self { account, max, bytes: 0, replaced: None }
    }

    /// Takes so many bytes more.
    ///
    /// # Errors
    ///
    /// [`Full`] when there is not enough left.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), Full> {
        let mut sums = locked(&self.account.sums);
        let used = sums.stored.bytes.saturating_add(sums.reserved);
        let counts = used.saturating_add(bytes).saturating_sub(self.replaced.unwrap_or(0));
        match self.max.filter(|max| counts > *max) {
            Some(max) => Err(Full { used, max }),
            None => {
                sums.reserved = sums.reserved.saturating_add(bytes);
                self.bytes = self.bytes.saturating_add(bytes);
                Ok(())
            }
        }
    }

    /// Whether it was told what the upload replaces.
    pub(super) const fn knows_replaced(&self) -> bool {
        self.replaced.is_some()
    }

    /// The upload replaces so many bytes, which need not be found again.
    pub(super) const fn replaces(&mut self, bytes: u64) {
        self.replaced = Some(bytes);
    }

    /// Whether the upload still fits, now that `replaced` is what it replaces.
    ///
    /// # Errors
    ///
    /// [`Full`] when what it was to replace has become smaller meanwhile.
    pub(super) fn check(&mut self, replaced: Option<u64>) -> Result<(), Full> {
        self.replaced = Some(replaced.unwrap_or(0));
        self.take(0)
    }

    /// The upload is in its place, instead of an object with `replaced` bytes if there was one.
    pub(super) fn settle(&mut self, replaced: Option<u64>) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut sums = locked(&self.account.sums);
        sums.reserved = sums.reserved.saturating_sub(bytes);
        if let Some(replaced) = replaced {
            sums.stored.remove(replaced);
        }
        sums.stored.add(bytes);
    }

    pub(super) const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut sums = locked(&self.account.sums);
        sums.reserved = sums.reserved.saturating_sub(self.bytes);
    }
}

/// There is not enough left of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) used: u64,
    pub(super) max: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many objects of one tenant can be put in their places at once, at the least two.
const TURNS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn account(bytes: u64) -> Arc<Account> {
        let account = Arc::new(Account::default());
        account.counted(Usage { objects: 1, bytes });
        account
    }

    #[test]
    fn uploads_under_way_share_what_is_left() {
        let account = account(60);
        let mut one = Reservation::new(Arc::clone(&account), Some(100));
        let mut other = Reservation::new(Arc::clone(&account), Some(100));
        assert_eq!((one.take(30), other.take(11)), (Ok(()), Err(Full { used: 90, max: 100 })));
        drop(one);
        assert_eq!(other.take(40), Ok(()));
        other.settle(None);
        drop(other);
        assert_eq!(account.known(Duration::MAX), Some(Usage { objects: 2, bytes: 100 }));
        assert_eq!(Reservation::new(account, None).take(u64::MAX), Ok(()), "no limit");
    }

    #[test]
    fn what_is_replaced_counts_once() {
        let account = account(100);
        let mut one = Reservation::new(Arc::clone(&account), Some(100));
        let mut other = Reservation::new(Arc::clone(&account), Some(100));
        one.replaces(100);
        other.replaces(100);
        assert_eq!((one.take(10), other.take(90)), (Ok(()), Ok(())));
        one.settle(Some(100));
        assert_eq!(other.check(Some(10)), Ok(()));
        other.settle(Some(10));
        assert_eq!(account.known(Duration::MAX), Some(Usage { objects: 1, bytes: 90 }));
        let mut late = Reservation::new(Arc::clone(&account), Some(100));
        late.replaces(90);
        assert_eq!(late.take(100), Ok(()));
        assert_eq!(late.check(None), Err(Full { used: 190, max: 100 }), "somebody has deleted it meanwhile");
    }
}
