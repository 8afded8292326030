//! The copy of a catalog in memory that requests are admitted from.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{CatalogVersion, Change};
use crate::{Slug, Tenant, TenantId};

/// Every tenant of a catalog, in memory.
///
/// It holds *all* tenants, not the ones asked for: a name that is not here does not exist, so a million forged names
/// cost a million look-ups and no memory, and tenants that were never visited are served while the store is away. A
/// tenant takes about 640 bytes, one alias included (`cargo run --example load` in `tenantry-sqlx`).
///
/// Whoever owns the catalog feeds it with [`Mirror::apply`]; `tenantry-sqlx` has a task that does.
#[derive(Debug)]
pub struct Mirror {
    index: RwLock<Index>,
    changes: AtomicU64,
    made: Instant,
    /// When the catalog was asked that had nothing else, in nanoseconds since this was made; 0 if nobody has ever said so.
    confirmed: AtomicU64,
}

impl Default for Mirror {
    fn default() -> Self {
        Self {
            index: RwLock::default(),
            changes: AtomicU64::default(),
            made: Instant::now(),
            confirmed: AtomicU64::default(),
        }
    }
}

impl Mirror {
    /// A mirror of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The catalog was asked then, and had nothing else than this.
    pub fn confirm(&self, asked: Instant) {
        self.confirmed.store(self.at(asked).max(1), Ordering::Relaxed);
    }

    /// For how long the catalog has said nothing; nothing if nobody follows one.
    ///
    /// ```
    /// use std::time::Instant;
    /// use tenantry_core::Mirror;
    ///
    /// let mirror = Mirror::new();
    /// assert_eq!(mirror.unconfirmed_for(), None);
    /// mirror.confirm(Instant::now());
    /// assert!(mirror.unconfirmed_for().is_some());
    /// ```
    pub fn unconfirmed_for(&self) -> Option<Duration> {
        match self.confirmed.load(Ordering::Relaxed) {
            0 => None,
            confirmed => Some(Duration::from_nanos(self.at(Instant::now()).saturating_sub(confirmed))),
        }
    }

    /// Nanoseconds since it was made: enough for five centuries.
    fn at(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.made).as_nanos()).unwrap_or(u64::MAX)
    }

    /// The tenant with this id.
    pub fn by_id(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.read().by_id.get(&id).cloned()
    }

    /// The tenant with this slug or alias.
    pub fn by_slug(&self, slug: &Slug) -> Option<Arc<Tenant>> {
        self.read().by_name.get(slug).cloned()
    }

    /// All tenants, in no order.
    pub fn tenants(&self) -> Vec<Arc<Tenant>> {
        self.read().by_id.values().cloned().collect()
    }

    /// How many tenants there are.
    pub fn len(&self) -> usize {
        self.read().by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version of the catalog that this mirror shows.
    pub fn version(&self) -> CatalogVersion {
        self.read().version
    }

    /// Shows these tenants and no others from now on, as of this version, whatever was here before; returns what that
    /// changed. For the first load, and for a catalog that was replaced by another one.
    ///
    /// A tenant with a known id and another time of creation is another tenant: the known one counts as removed.
    pub fn reload(&self, tenants: impl IntoIterator<Item = Tenant>, version: CatalogVersion) -> Vec<Change> {
        let mut next = Index::default();
        tenants.into_iter().for_each(|tenant| next.apply(Change::Upserted(tenant)));
        next.version = version;
        let before = std::mem::replace(&mut *self.write(), next);
        self.changes.fetch_add(1, Ordering::Release);
        before.changes_to(&self.read())
    }

    /// Takes over a change. One that is older than what is here has no effect, so changes may be applied twice.
    pub fn apply(&self, change: Change) {
        self.write().apply(change);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Counts the changes of the mirror itself. An answer that was got after this was read is still right while this
    /// reads the same.
    ///
    /// Unlike a look-up, reading it does not write to memory that other threads read.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FromIterator<Tenant> for Mirror {
    fn from_iter<I: IntoIterator<Item = Tenant>>(tenants: I) -> Self {
        let mirror = Self::new();
        tenants.into_iter().for_each(|tenant| mirror.apply(Change::Upserted(tenant)));
        mirror
    }
}

#[derive(Debug, Default)]
struct Index {
    by_id: HashMap<TenantId, Arc<Tenant>>,
    by_name: HashMap<Slug, Arc<Tenant>>,
    version: CatalogVersion,
}

impl Index {
    fn apply(&mut self, change: Change) {
        self.version = self.version.max(change.version());
        if self.by_id.get(&change.id()).is_some_and(|known| known.revision.get() > change.version().get()) {
            return;
        }
        self.forget(change.id());
        if let Change::Upserted(tenant) = change {
            let tenant = Arc::new(tenant);
            for name in std::iter::once(&tenant.slug).chain(&tenant.aliases) {
                self.by_name.insert(name.clone(), Arc::clone(&tenant));
            }
            self.by_id.insert(tenant.id, tenant);
        }
    }

    /// What leads from here to `after`.
    fn changes_to(&self, after: &Self) -> Vec<Change> {
        let version = after.version;
        let same = |a: &Tenant, b: &Tenant| a.id == b.id && a.created_at == b.created_at;
        let kept = |known: &Tenant| after.by_id.get(&known.id).is_some_and(|tenant| same(known, tenant));
        let gone = self.by_id.values().filter(|known| !kept(known));
        let new = after.by_id.values().filter(|tenant| self.by_id.get(&tenant.id) != Some(tenant));
        gone.map(|known| Change::Removed { id: known.id, version })
            .chain(new.map(|tenant| Change::Upserted(Tenant::clone(tenant))))
            .collect()
    }

    fn forget(&mut self, id: TenantId) {
        let Some(known) = self.by_id.remove(&id) else { return };
        for name in std::iter::once(&known.slug).chain(&known.aliases) {
            // The name may have gone to another tenant in the meantime.
            if self.by_name.get(name).is_some_and(|owner| owner.id == id) {
                self.by_name.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::Revision;

    fn tenant(id: i64, slug: &str, aliases: &[&str], revision: i64) -> Tenant {
        Tenant {
            aliases: aliases.iter().map(|alias| alias.parse().unwrap()).collect(),
            revision: Revision::new(revision),
            ..Tenant::new(TenantId::new(id), slug.parse().unwrap())
        }
    }

    fn owner(mirror: &Mirror, slug: &str) -> Option<i64> {
        mirror.by_slug(&slug.parse().unwrap()).map(|tenant| tenant.id.get())
    }

    #[test]
    fn finds_by_id_slug_and_alias() {
        let mirror = Mirror::from_iter([tenant(1, "acme", &["acme-old"], 1), tenant(2, "globex", &[], 2)]);
        assert_eq!(owner(&mirror, "acme"), Some(1));
        assert_eq!(owner(&mirror, "acme-old"), Some(1));
        assert_eq!(owner(&mirror, "nobody"), None);
        assert_eq!(mirror.by_id(TenantId::new(2)).unwrap().slug.as_str(), "globex");
        assert_eq!((mirror.len(), mirror.version()), (2, CatalogVersion::new(2)));
    }

    #[test]
    fn a_change_replaces_names_and_a_late_one_is_ignored() {
        let mirror = Mirror::from_iter([tenant(1, "acme", &["acme-old"], 1)]);
        mirror.apply(Change::Upserted(tenant(1, "acme-inc", &["acme"], 3)));
        mirror.apply(Change::Upserted(tenant(1, "acme", &["acme-old"], 2)));
        assert_eq!(owner(&mirror, "acme-inc"), Some(1));
        assert_eq!(owner(&mirror, "acme"), Some(1));
        assert_eq!(owner(&mirror, "acme-old"), None);
    }

    #[test]
    fn a_removed_tenant_takes_its_names_along_but_not_those_it_lost() {
        let mirror = Mirror::from_iter([tenant(1, "acme", &["shop"], 1)]);
        mirror.apply(Change::Upserted(tenant(2, "globex", &["shop"], 2)));
        mirror.apply(Change::Removed { id: TenantId::new(1), version: CatalogVersion::new(3) });
        assert_eq!(owner(&mirror, "acme"), None);
        assert_eq!(owner(&mirror, "shop"), Some(2));
        assert_eq!((mirror.len(), mirror.version()), (1, CatalogVersion::new(3)));
    }

    #[test]
    fn a_reload_replaces_everything_and_tells_what_changed() {
        let reborn = Tenant { created_at: SystemTime::now(), ..tenant(3, "umbrella", &[], 2) };
        let mirror = Mirror::from_iter([
            tenant(1, "acme", &["shop"], 7),
            tenant(2, "globex", &[], 2),
            tenant(3, "initech", &[], 3),
        ]);
        let after = [tenant(2, "globex", &[], 2), reborn.clone(), tenant(4, "shop", &[], 1)];
        let mut changes = mirror.reload(after, CatalogVersion::new(4));
        changes.sort_by_key(|change| (change.id(), matches!(change, Change::Upserted(_))));
        let version = CatalogVersion::new(4);
        assert_eq!(
            changes,
            [
                Change::Removed { id: TenantId::new(1), version },
                Change::Removed { id: TenantId::new(3), version },
                Change::Upserted(reborn),
                Change::Upserted(tenant(4, "shop", &[], 1)),
            ]
        );
        assert_eq!(
            (owner(&mirror, "acme"), owner(&mirror, "shop"), owner(&mirror, "globex")),
            (None, Some(4), Some(2))
        );
        assert_eq!((mirror.len(), mirror.version()), (3, version), "an older version is taken over too");
    }
}
