//! Rollouts of migrations, on databases in memory: who is migrated, in which order, what stops it, and how it goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tenantry_control::{Canaries, Control, Migrated, Needs, Pause, RolledOut, Rollout, VerbError};
use tenantry_core::{
    Audit, AuditFilter, BoxError, BoxFuture, Catalog, Ledger, MigratableRows, MigrationName, NewOperation, NewTenant,
    Outcome, Placement, PlaneError, Plans, Slug, Status, Subject, Tenant, Worker,
};
use tenantry_sqlx::{OpenOptions, SqliteCatalog};
use tokio::sync::Barrier;

#[tokio::test]
async fn shared_tables_come_first_and_the_ledger_has_each_tenants_outcome() {
    let world = World::new(5).await;
    let report = world.migrate(&Rollout::default()).await;
    assert_eq!((report.shared, &report.paused), (2, &None));
    assert_eq!(world.databases.log()[..2], ["shared", "t1"], "and then the canary");
    assert!(report.tenants.iter().all(|(_, it)| matches!(it, Migrated::Done { migrations: 2, .. })), "{report:?}");
    let history = world.catalog.history(None, None, 100).await.unwrap();
    assert_eq!(history.len(), 5);
    for operation in &history {
        assert_eq!((operation.verb.as_str(), operation.outcome), ("migrate", Some(Outcome::Done)));
        assert_eq!(operation.progress.amounts["migrations"].items, 2);
    }
    let verbs = world.audit().await;
    let count = |verb: &str| verbs.iter().filter(|entry| *entry == verb).count();
    assert_eq!((count("migrate begun"), count("migrate done"), count("migrated")), (5, 5, 1));
    // Once more: there is nothing to do, and nothing is written.
    let again = world.migrate(&Rollout::default()).await;
    assert_eq!(again.shared, 0);
    assert!(again.tenants.iter().all(|(_, it)| *it == Migrated::UpToDate), "{again:?}");
    assert_eq!(world.audit().await.len(), verbs.len());
}

#[tokio::test]
async fn when_shared_tables_fail_nothing_else_is_done() {
    let world = World::new(2).await;
    world.databases.break_down("shared");
    let error = world.control().migrate(&Rollout::default(), |_| {}).await.unwrap_err();
    assert!(matches!(error, VerbError::Schema { .. }), "{error:?}");
    assert!(tenantry_control::with_causes(&error).ends_with("migration 1 (tables) has failed"), "{error:?}");
    assert!(world.databases.log().is_empty());
}

#[tokio::test]
async fn a_canary_that_fails_stops_it_and_a_mended_one_lets_it_go_on() {
    let world = World::new(5).await;
    world.databases.break_down("t1");
    let report = world.migrate(&Rollout::default()).await;
    let Some(Pause::Canary { tenant, why }) = &report.paused else { panic!("{report:?}") };
    assert_eq!(tenant.as_str(), "t1");
    assert_eq!(why, "the rows of t1 cannot be worked on: migration 1 (tables) has failed");
    assert_eq!(outcomes(&report), ["failed", "not reached", "not reached", "not reached", "not reached"]);
    let operation = world.catalog.history(None, None, 1).await.unwrap().remove(0);
    assert_eq!((operation.outcome, operation.progress.problem.as_ref()), (Some(Outcome::Undone), Some(why)));
    assert_eq!(world.audit().await.last().unwrap(), "migrate undone");
    // The tenant is free for whatever is to be done to it.
    assert!(world.control().suspend(&slug("t1")).await.unwrap().changed);
    world.databases.mend();
    let report = world.migrate(&Rollout::default()).await;
    assert_eq!(outcomes(&report), ["migrated"; 5]);
}

#[tokio::test]
async fn named_canaries_come_first_and_have_to_be_free() {
    let world = World::new(4).await;
    let rollout = Rollout { canaries: Canaries::Named(vec![slug("t3"), slug("t2"), slug("t3")]), ..Rollout::default() };
    let busy = world.occupy("t2").await;
    let report = world.migrate(&rollout).await;
    assert!(matches!(&report.paused, Some(Pause::Canary { tenant, .. }) if *tenant == slug("t2")), "{report:?}");
    assert_eq!(world.databases.log(), ["shared", "t3"]);
    world.let_go(busy).await;
    let report = world.migrate(&rollout).await;
    assert_eq!((report.paused, world.databases.log()[2].as_str()), (None, "t2"));
}

#[tokio::test]
async fn another_canary_takes_the_place_of_one_that_is_busy() {
    let world = World::new(4).await;
    let _busy = world.occupy("t1").await;
    world.databases.break_down("t2");
    let report = world.migrate(&Rollout::default()).await;
    assert!(matches!(&report.paused, Some(Pause::Canary { tenant, .. }) if *tenant == slug("t2")), "{report:?}");
    assert_eq!(outcomes(&report), ["busy", "failed", "not reached", "not reached"]);
}

#[tokio::test]
async fn too_many_failures_stop_it() {
    let world = World::new(20).await;
    let broken = ["t3", "t4", "t5", "t6"];
    broken.iter().for_each(|name| world.databases.break_down(name));
    let rollout = Rollout { concurrency: NonZeroUsize::MIN, failures_min: 2, ..Rollout::default() };
    let report = world.migrate(&rollout).await;
    assert_eq!(report.paused, Some(Pause::Failures { failed: 2, tried: 4, percent_max: 10 }));
    assert_eq!(outcomes(&report)[..5], ["migrated", "migrated", "failed", "failed", "not reached"]);
    world.databases.mend();
    let report = world.migrate(&rollout).await;
    assert_eq!(
        (report.paused.as_ref(), &outcomes(&report)[..3]),
        (None, &["up to date", "up to date", "migrated"][..])
    );
    assert!(world.databases.all_are_migrated_once(20));
}

#[tokio::test]
async fn few_failures_do_not_stop_it() {
    let world = World::new(6).await;
    world.databases.break_down("t3");
    world.databases.break_down("t4");
    let _busy = world.occupy("t5").await;
    let report = world.migrate(&Rollout::default()).await;
    assert_eq!(report.paused, None);
    assert_eq!(outcomes(&report), ["migrated", "migrated", "failed", "failed", "busy", "migrated"]);
    let Migrated::Busy { why } = &report.tenants[4].1 else { panic!("{report:?}") };
    assert!(why.contains("t5 is in the middle of another operation: reset"), "{why}");
}

#[tokio::test]
async fn what_never_had_a_database_gets_none_and_every_status_counts() {
    let world = World::new(5).await;
    let mut shared = NewTenant::new(slug("shared-one"));
    shared.placement = Placement::Shared;
    world.catalog.create(shared).await.unwrap();
    world.databases.forget("t1");
    let control = world.control();
    control.suspend(&slug("t2")).await.unwrap();
    control.expire(&slug("t3")).await.unwrap();
    control.delete(&slug("t4"), Duration::from_secs(3600)).await.unwrap();
    control.delete(&slug("t5"), Duration::ZERO).await.unwrap();
    let report = world.migrate(&Rollout::default()).await;
    assert_eq!(outcomes(&report), ["no database", "migrated", "migrated", "migrated"], "t5 is due");
    assert_eq!(world.catalog.by_slug(&slug("t2")).await.unwrap().unwrap().status, Status::Suspended);
}

#[tokio::test]
async fn some_are_migrated_at_once_and_never_more() {
    let world = World::new(9).await;
    let rollout = Rollout { concurrency: NonZeroUsize::new(2).unwrap(), ..Rollout::default() };
    // All but the canary wait for another one to come.
    *world.databases.pairs.lock().unwrap() = Some(Arc::new(Barrier::new(2)));
    let mut reached = Vec::new();
    let told = |it: &tenantry_control::Reached<'_>| reached.push((it.reached, it.total));
    world.control().migrate(&rollout, told).await.unwrap();
    assert_eq!(reached, (1..=9).map(|it| (it, 9)).collect::<Vec<_>>());
    assert_eq!(*world.databases.most.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let world = World::new(3).await;
    world.databases.forget("t2");
    let before = world.audit().await;
    let needed = world.control().pending_migrations(&Rollout::default()).await.unwrap();
    assert_eq!(needed.shared.len(), 2);
    let Needs::Migrations(migrations) = &needed.tenants[0].1 else { panic!("{needed:?}") };
    assert_eq!(migrations.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1 (tables)", "2 (tables)"]);
    assert_eq!(needed.tenants[1], (slug("t2"), Needs::NoDatabase));
    assert_eq!((world.audit().await, world.databases.log()), (before, Vec::new()));
    assert!(world.catalog.history(None, None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_done() {
    let world = World::new(1).await;
    let mut shared = NewTenant::new(slug("shared-one"));
    shared.placement = Placement::Shared;
    world.catalog.create(shared).await.unwrap();
    let only = |name: &str| Rollout { tenants: vec![slug(name)], ..Rollout::default() };
    let error = world.control().migrate(&only("shared-one"), |_| {}).await.unwrap_err();
    assert!(matches!(error, VerbError::NotDedicated { .. }), "{error:?}");
    let error = world.control().migrate(&only("nobody"), |_| {}).await.unwrap_err();
    assert!(matches!(error, VerbError::Unknown { .. }), "{error:?}");
    assert!(world.databases.log().is_empty());
    let without = Control::new(Arc::clone(&world.catalog), Plans::default());
    let error = without.migrate(&Rollout::default(), |_| {}).await.unwrap_err();
    assert!(matches!(error, VerbError::NotMigratable), "{error:?}");
}

#[tokio::test]
async fn only_those_that_are_named_are_migrated() {
    let world = World::new(3).await;
    let rollout = Rollout { tenants: vec![slug("t2")], ..Rollout::default() };
    let report = world.migrate(&rollout).await;
    assert_eq!((report.tenants.len(), world.databases.log()), (1, vec!["shared".to_owned(), "t2".to_owned()]));
}

#[tokio::test]
async fn killed_anywhere_it_goes_on() {
    let mut kills = 0;
    for polls in (1..).step_by(3) {
        let world = World::new(5).await;
        let control = world.control().with_lease(LEASE);
        let rollout = Rollout { concurrency: NonZeroUsize::new(2).unwrap(), ..Rollout::default() };
        let killed = crate::dropped_after(polls, control.migrate(&rollout, |_| {})).await.is_none();
        if killed {
            kills += 1;
            // What it had asked the database for last is done before this is.
            world.catalog.describe_settings("{}").await.unwrap();
            tokio::time::sleep(LEASE * 2).await;
            // Every other time somebody else recovers before; else the next rollout does.
            if polls % 2 == 0 {
                assert!(control.recover().await.unwrap().failed.is_empty());
            }
            let report = world.migrate(&rollout).await;
            assert_eq!(report.paused, None, "{report:?}");
        }
        assert!(world.databases.all_are_migrated_once(5));
        assert!(world.catalog.abandoned(None, 10).await.unwrap().is_empty());
        if !killed {
            break;
        }
    }
    assert!(kills > 0);
}

#[tokio::test]
async fn two_rollouts_at_once_do_everything_once() {
    let world = World::new(8).await;
    let rollout = Rollout { concurrency: NonZeroUsize::new(2).unwrap(), ..Rollout::default() };
    let (one, two) = tokio::join!(world.migrate(&rollout), world.migrate(&rollout));
    for report in [&one, &two] {
        assert!(outcomes(report).iter().all(|it| ["migrated", "busy", "up to date"].contains(it)), "{report:?}");
    }
    assert!(world.databases.all_are_migrated_once(8));
}

/// How long the tests' workers are waited for.
const LEASE: Duration = Duration::from_millis(15);

struct World {
    catalog: Arc<SqliteCatalog>,
    databases: Arc<Databases>,
    _folder: TempDir,
}

impl World {
    /// So many tenants with a database of their own, `t1` and so on.
    async fn new(tenants: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenantry.db");
        let catalog = Arc::new(SqliteCatalog::open(path, OpenOptions::create_if_missing()).await.unwrap());
        let databases = Arc::new(Databases::default());
        for number in 1..=tenants {
            let mut new = NewTenant::new(slug(&format!("t{number}")));
            new.placement = Placement::Dedicated;
            catalog.create(new).await.unwrap();
            databases.applied.lock().unwrap().insert(format!("t{number}"), Vec::new());
        }
        databases.applied.lock().unwrap().insert("shared".to_owned(), Vec::new());
        Self { catalog, databases, _folder: folder }
    }

    fn control(&self) -> Control {
        Control::new(Arc::clone(&self.catalog), Plans::default())
            .with_migratable(Arc::clone(&self.databases) as Arc<dyn MigratableRows>)
    }

    async fn migrate(&self, rollout: &Rollout) -> RolledOut {
        self.control().migrate(rollout, |_| {}).await.unwrap()
    }

    /// Somebody is doing something else to a tenant.
    async fn occupy(&self, name: &str) -> (tenantry_core::OperationId, Worker) {
        let worker = Worker { name: "somebody".to_owned(), lease: Duration::from_secs(3600) };
        let tenant = self.catalog.by_slug(&slug(name)).await.unwrap().unwrap();
        let subject = Subject::Existing(tenant.id, tenant.revision);
        let new = NewOperation { subject, verb: "reset".to_owned(), input: "{}".to_owned() };
        (self.catalog.begin(new, &worker).await.unwrap().id, worker)
    }

    async fn let_go(&self, (id, worker): (tenantry_core::OperationId, Worker)) {
        self.catalog.end(id, &worker, Outcome::Done, &tenantry_core::Progress::default()).await.unwrap();
    }

    /// The verbs of the audit log.
    async fn audit(&self) -> Vec<String> {
        let entries = self.catalog.entries(0, AuditFilter::All, 1000).await.unwrap();
        entries.into_iter().map(|entry| entry.deed.verb).collect()
    }
}

/// Databases that note down which migrations they got, and when.
#[derive(Default)]
struct Databases {
    applied: Mutex<BTreeMap<String, Vec<i64>>>,
    broken: Mutex<BTreeSet<String>>,
    log: Mutex<Vec<String>>,
    now: Mutex<usize>,
    /// How many were migrated at once, at the most.
    most: Mutex<usize>,
    pairs: Mutex<Option<Arc<Barrier>>>,
}

impl Databases {
    fn break_down(&self, name: &str) {
        self.broken.lock().unwrap().insert(name.to_owned());
    }

    fn mend(&self) {
        self.broken.lock().unwrap().clear();
    }

    fn forget(&self, name: &str) {
        self.applied.lock().unwrap().remove(name);
    }

    /// Whose migrations have been run, in this order.
    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn all_are_migrated_once(&self, tenants: usize) -> bool {
        let applied = self.applied.lock().unwrap();
        applied.len() == tenants + 1 && applied.values().all(|versions| *versions == VERSIONS)
    }

    fn needs(&self, name: &str) -> Option<Vec<i64>> {
        let applied = self.applied.lock().unwrap().get(name)?.clone();
        Some(VERSIONS.into_iter().filter(|version| !applied.contains(version)).collect())
    }

    async fn run(&self, name: &str) -> Result<u64, BoxError> {
        tokio::task::yield_now().await;
        if self.broken.lock().unwrap().contains(name) {
            return Err("migration 1 (tables) has failed".into());
        }
        let mut run = 0;
        for version in self.needs(name).unwrap_or_default() {
            tokio::task::yield_now().await;
            // In one go, as in a transaction; who was faster has done it.
            if self.needs(name).unwrap_or_default().contains(&version) {
                self.applied.lock().unwrap().get_mut(name).unwrap().push(version);
                run += 1;
            }
            tokio::task::yield_now().await;
        }
        if run > 0 {
            self.log.lock().unwrap().push(name.to_owned());
        }
        Ok(run)
    }
}

impl MigratableRows for Databases {
    fn pending_shared(&self) -> BoxFuture<'_, Result<Vec<MigrationName>, BoxError>> {
        Box::pin(async move { Ok(self.needs("shared").unwrap_or_default().into_iter().map(name).collect()) })
    }

    fn migrate_shared(&self) -> BoxFuture<'_, Result<u64, BoxError>> {
        Box::pin(self.run("shared"))
    }

    fn pending<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Option<Vec<MigrationName>>, PlaneError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(self.needs(tenant.slug.as_str()).map(|needs| needs.into_iter().map(name).collect()))
        })
    }

    fn migrate<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<u64, PlaneError>> {
        Box::pin(async move {
            let now = {
                let mut now = self.now.lock().unwrap();
                *now += 1;
                *now
            };
            let most = (*self.most.lock().unwrap()).max(now);
            *self.most.lock().unwrap() = most;
            let pairs = self.pairs.lock().unwrap().clone().filter(|_| tenant.slug.as_str() != "t1");
            if let Some(pairs) = pairs {
                pairs.wait().await;
            }
            let run = self.run(tenant.slug.as_str()).await;
            *self.now.lock().unwrap() -= 1;
            run.map_err(|error| PlaneError::new("rows", tenant, error))
        })
    }
}

/// The migrations that there are.
const VERSIONS: [i64; 2] = [1, 2];

fn name(version: i64) -> MigrationName {
    MigrationName { version, description: "tables".to_owned() }
}

fn outcomes(report: &RolledOut) -> Vec<&'static str> {
    report.tenants.iter().map(|(_, outcome)| outcome.as_str()).collect()
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}
