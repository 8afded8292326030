//! How many trials there may be at once.

use std::{
    collections::HashSet,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tenantry_core::{Mirror, Slug, Status, Tenant};

use super::name::Kind;

/// The room for trials of one process. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Room {
    capacity: usize,
    mirror: Arc<Mirror>,
    /// Those that are being made, which the mirror may not show yet.
    promised: Arc<Mutex<HashSet<Slug>>>,
}

/// A place for one trial, until it is dropped. By then the mirror shows the trial, or there is none.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) slug: Slug,
    room: Room,
}

/// All places are taken, and the first of them is free after this time, if none is given up before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full(pub(super) Duration);

impl Room {
    pub(super) fn new(capacity: NonZeroU32, mirror: Arc<Mirror>) -> Self {
        Self { capacity: usize::try_from(capacity.get()).unwrap_or(usize::MAX), mirror, promised: Arc::default() }
    }

    /// A place for a trial of this name.
    pub(super) fn place(&self, slug: Slug) -> Result<Place, Full> {
        let mut promised = self.promised();
        self.check(&promised)?;
        promised.insert(slug.clone());
        drop(promised);
        Ok(Place { slug, room: self.clone() })
    }

    /// Whether there is a place now. Somebody else may take it.
    pub(super) fn look(&self) -> Result<(), Full> {
        self.check(&self.promised())
    }

    fn check(&self, promised: &HashSet<Slug>) -> Result<(), Full> {
        let ends = self.ends(promised);
        if promised.len() + ends.len() < self.capacity {
            return Ok(());
        }
        let first = ends.into_iter().min().and_then(|end| end.duration_since(SystemTime::now()).ok());
        Err(Full(first.unwrap_or(SOON).max(SOON)))
    }

    /// When the trials that are under way end.
    fn ends(&self, promised: &HashSet<Slug>) -> Vec<SystemTime> {
        let under_way = |tenant: &Arc<Tenant>| {
            let is_trial = tenant.status_now() == Status::Active && Kind::of(tenant) == Some(Kind::Trial);
            tenant.expires_at.filter(|_| is_trial && !promised.contains(&tenant.slug))
        };
        self.mirror.tenants().iter().filter_map(under_way).collect()
    }

    fn promised(&self) -> MutexGuard<'_, HashSet<Slug>> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.promised().remove(&self.slug);
    }
}

/// Whoever comes back sooner has to wait again.
const SOON: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tenantry_core::{Change, TenantId};

    use super::*;

    fn trial(id: i64, slug: &Slug, left: u64) -> Change {
        let mut tenant = Tenant::new(TenantId::new(id), slug.clone());
        (tenant.expires_at, tenant.trial) = (Some(SystemTime::now() + Duration::from_secs(left)), true);
        Change::Upserted(tenant)
    }

    #[test]
    fn what_is_promised_and_what_is_there_is_counted_once() {
        let mirror = Arc::new(Mirror::new());
        let room = Room::new(NonZeroU32::new(2).unwrap(), Arc::clone(&mirror));
        let names: Vec<_> = (0..3).map(|_| Kind::Trial.name().unwrap()).collect();
        let first = room.place(names[0].clone()).unwrap();
        mirror.apply(trial(1, &names[0], 100));
        let second = room.place(names[1].clone()).unwrap();
        assert_eq!(room.place(names[2].clone()).unwrap_err(), Full(SOON), "nobody knows when a promised one ends");
        drop(first);
        let Full(wait) = room.place(names[2].clone()).unwrap_err();
        assert!(wait > Duration::from_secs(90) && wait <= Duration::from_secs(100), "{wait:?}");
        drop(second);
        room.look().unwrap();
    }

    #[test]
    fn other_tenants_take_no_room() {
        let names: Vec<_> = (0..5).map(|_| Kind::Trial.name().unwrap()).collect();
        let mirror = Arc::new(Mirror::new());
        mirror.apply(trial(1, &"acme".parse().unwrap(), 100));
        mirror.apply(trial(2, &names[0], 0));
        let mut endless = Tenant::new(TenantId::new(3), names[1].clone());
        endless.trial = true;
        mirror.apply(Change::Upserted(endless));
        let mut suspended = Tenant::new(TenantId::new(4), names[2].clone());
        (suspended.status, suspended.trial) = (Status::Suspended, true);
        suspended.expires_at = Some(SystemTime::now() + SOON * 100);
        mirror.apply(Change::Upserted(suspended));
        let mut customer = Tenant::new(TenantId::new(6), names[4].clone());
        customer.expires_at = Some(SystemTime::now() + SOON * 100);
        mirror.apply(Change::Upserted(customer));
        let room = Room::new(NonZeroU32::MIN, Arc::clone(&mirror));
        room.look().unwrap();
        mirror.apply(trial(5, &names[3], 100));
        room.look().unwrap_err();
    }
}
