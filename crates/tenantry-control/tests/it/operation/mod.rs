//! Operations: all or nothing, nothing lost, nobody else touched.

mod killed;
mod verbs;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;
use tenantry_control::{Control, Ended, Erasing, VerbError};
use tenantry_core::{
    Amendment, Amount, BoxFuture, Catalog, Ledger, LedgerError, NewTenant, Outcome, Placement, Plane, PlaneError,
    Plans, SettingChange, Slug, Status, Tenant, TenantId,
};
use tenantry_sqlx::{OpenOptions, SqliteCatalog};

/// How long the tests' workers are waited for.
const LEASE: Duration = Duration::from_millis(15);
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

struct World {
    catalog: Arc<SqliteCatalog>,
    rows: Arc<Memory>,
    uploads: Arc<Memory>,
    _folder: TempDir,
}

impl World {
    /// `seed` has three things in each plane, `other` two.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenantry.db");
        let catalog = Arc::new(SqliteCatalog::open(path, OpenOptions::create_if_missing()).await.unwrap());
        let world = Self { catalog, rows: Memory::new("rows"), uploads: Memory::new("uploads"), _folder: folder };
        for (name, things) in [("seed", &["a", "b", "c"][..]), ("other", &["x", "y"])] {
            let tenant = world.catalog.create(new(name)).await.unwrap();
            for plane in [&world.rows, &world.uploads] {
                plane.put(tenant.id, things);
            }
        }
        world
    }

    fn control(&self) -> Control {
        let planes = [Arc::clone(&self.rows) as Arc<dyn Plane>, Arc::clone(&self.uploads) as Arc<dyn Plane>];
        Control::new(Arc::clone(&self.catalog), Plans::default())
            .with_planes(planes)
            .with_settle(Duration::ZERO)
            .with_lease(LEASE)
    }

    /// A tenant that was made from `seed`, and has changed since.
    async fn trained(&self) -> TenantId {
        let lasting = self.control().with_lease(Duration::from_secs(60));
        let tenant = lasting.create_from(&slug("seed"), new("training")).await.unwrap().tenant.unwrap();
        self.rows.put(tenant.id, &["mine"]);
        let set = SettingChange { path: "mine".parse().unwrap(), value: Some(true.into()) };
        let amendment = Amendment { settings: vec![set], ..Default::default() };
        self.catalog.amend(tenant.id, &amendment, None).await.unwrap();
        tenant.id
    }

    async fn is_reset(&self, id: TenantId) {
        let tenant = self.catalog.by_id(id).await.unwrap().unwrap();
        assert_eq!(tenant.status, Status::Active);
        assert_eq!(self.of(id), self.of(self.id("seed").await));
        assert!(tenant.settings.iter().next().is_none(), "{:?}", tenant.settings);
        assert!(tenant.epoch >= 1, "it has begun anew");
    }

    async fn id(&self, name: &str) -> TenantId {
        self.catalog.by_slug(&slug(name)).await.unwrap().unwrap().id
    }

    /// What a tenant has, by plane.
    fn of(&self, tenant: TenantId) -> BTreeMap<&'static str, Vec<String>> {
        [&self.rows, &self.uploads].map(|plane| (plane.name, plane.of(tenant))).into()
    }

    async fn nobody_else_was_touched(&self) {
        for plane in [&self.rows, &self.uploads] {
            assert_eq!(plane.of(self.id("seed").await), ["a", "b", "c"]);
            assert_eq!(plane.of(self.id("other").await), ["x", "y"]);
        }
    }

    async fn only_these_have_something(&self, names: &[&str]) {
        for plane in [&self.rows, &self.uploads] {
            let things = plane.things.lock().unwrap().clone();
            for (tenant, _) in things.iter().filter(|(_, things)| !things.is_empty()) {
                let tenant = self.catalog.by_id(*tenant).await.unwrap();
                assert!(tenant.is_some_and(|tenant| names.contains(&tenant.slug.as_str())), "{things:?}");
            }
        }
    }
}

/// A plane in memory that does one thing after the other, so that it can be killed between them.
struct Memory {
    name: &'static str,
    things: Mutex<BTreeMap<TenantId, Vec<String>>>,
    broken: Mutex<Option<&'static str>>,
    /// Whether somebody writes one more after everything was erased, once.
    straggler: Mutex<bool>,
    /// In which catalog the tenant is switched to another placement between the look at its record and the copy, once.
    moved_by: Mutex<Option<Arc<SqliteCatalog>>>,
    /// Where everything is since then, so that nothing is found anywhere else.
    moved_to: Mutex<Option<Placement>>,
}

impl Memory {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            things: Mutex::default(),
            broken: Mutex::default(),
            straggler: Mutex::default(),
            moved_by: Mutex::default(),
            moved_to: Mutex::default(),
        })
    }

    fn put(&self, tenant: TenantId, things: &[&str]) {
        self.things.lock().unwrap().insert(tenant, things.iter().map(|thing| (*thing).to_owned()).collect());
    }

    fn of(&self, tenant: TenantId) -> Vec<String> {
        self.things.lock().unwrap().get(&tenant).cloned().unwrap_or_default()
    }

    fn break_down(&self, at: &'static str) {
        *self.broken.lock().unwrap() = Some(at);
    }

    fn mend(&self) {
        *self.broken.lock().unwrap() = None;
    }

    fn check(&self, what: &str, tenant: &Tenant) -> Result<(), PlaneError> {
        match *self.broken.lock().unwrap() {
            Some(broken) if broken == what => Err(PlaneError::new(self.name, tenant, "no space left")),
            _ => Ok(()),
        }
    }
}

impl Plane for Memory {
    fn name(&self) -> &'static str {
        self.name
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.check("count", tenant)?;
            tokio::task::yield_now().await;
            Ok(Amount::items(self.of(tenant.id).len() as u64))
        })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.check("erase", tenant)?;
            let mut erased = 0;
            while self.things.lock().unwrap().entry(tenant.id).or_default().pop().is_some() {
                erased += 1;
                tokio::task::yield_now().await;
            }
            if std::mem::take(&mut *self.straggler.lock().unwrap()) {
                self.put(tenant.id, &["late"]);
            }
            Ok(Amount::items(erased))
        })
    }

    fn copy<'a>(&'a self, from: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.erase(to).await?;
            let moved_by = self.moved_by.lock().unwrap().take();
            if let Some(catalog) = moved_by {
                let to = Placement::Dedicated;
                let moved = Amendment { placement: Some(to.clone()), ..Default::default() };
                catalog.amend(from.id, &moved, None).await.unwrap();
                *self.moved_to.lock().unwrap() = Some(to);
            }
            if self.moved_to.lock().unwrap().as_ref().is_some_and(|placement| *placement != from.placement) {
                return Ok(Amount::default());
            }
            for thing in self.of(from.id) {
                self.check("copy", to)?;
                self.things.lock().unwrap().entry(to.id).or_default().push(thing);
                tokio::task::yield_now().await;
            }
            Ok(Amount::items(self.of(to.id).len() as u64))
        })
    }
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn new(name: &str) -> NewTenant {
    NewTenant::new(slug(name))
}
