//! A move, with rows that are nowhere: which steps are taken, and what happens when one fails or is killed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tenantry_control::{Control, VerbError};
use tenantry_core::{
    Amount, BoxFuture, Catalog, Ledger, LedgerError, MovableRows, Moving, NewTenant, Placement, PlaneError, Plans,
    Slug, Status,
};
use tenantry_sqlx::{OpenOptions, SqliteCatalog};

#[tokio::test]
async fn the_steps_come_in_their_order_and_the_catalog_is_switched_between_them() {
    let world = World::new().await;
    let ended = world.control().move_to(&acme(), Placement::Dedicated).await.unwrap();
    assert_eq!(world.rows.taken(), ["prepare", "copy", "catch_up", "catch_up", "fence", "clean_up"]);
    assert_eq!(ended.tenant.unwrap().placement, Placement::Dedicated);
    assert_eq!(ended.operation.progress.amounts["rows"], Amount::items(3));
    let back = world.control().move_to(&acme(), Placement::Shared).await.unwrap();
    assert_eq!(back.tenant.unwrap().placement, Placement::Shared);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let world = World::new().await;
    let control = world.control();
    let error = control.move_to(&acme(), Placement::Shared).await.unwrap_err();
    assert_eq!(error.to_string(), "acme has the placement shared already");
    let without = Control::new(Arc::clone(&world.catalog), Plans::default());
    let error = without.move_to(&acme(), Placement::Dedicated).await.unwrap_err();
    assert!(matches!(error, VerbError::NotMovable), "{error:?}");
    control.delete(&acme(), Duration::ZERO).await.unwrap();
    let error = control.move_to(&acme(), Placement::Dedicated).await.unwrap_err();
    assert!(matches!(error, VerbError::Deleting { .. }), "{error:?}");
    assert!(world.rows.taken().is_empty());
}

#[tokio::test]
async fn before_the_switch_a_failure_leaves_the_tenant_where_it_was() {
    for step in ["prepare", "copy", "catch_up", "fence"] {
        let world = World::new().await;
        world.rows.break_down(step);
        let error = world.control().move_to(&acme(), Placement::Dedicated).await.unwrap_err();
        assert!(matches!(error, VerbError::Undone { .. }), "{step}: {error:?}");
        assert_eq!(world.rows.taken().last().unwrap(), "abandon", "{step}");
        let tenant = world.catalog.by_slug(&acme()).await.unwrap().unwrap();
        assert_eq!((tenant.placement, tenant.status), (Placement::Shared, Status::Active), "{step}");
        // And it can be moved later.
        world.rows.break_down("nothing");
        world.control().move_to(&acme(), Placement::Dedicated).await.unwrap();
    }
}

#[tokio::test]
async fn after_the_switch_it_is_gone_on_with() {
    let world = World::new().await;
    world.rows.break_down("clean_up");
    let error = world.control().move_to(&acme(), Placement::Dedicated).await.unwrap_err();
    assert!(matches!(error, VerbError::Unfinished { .. }), "{error:?}");
    let tenant = world.catalog.by_slug(&acme()).await.unwrap().unwrap();
    assert_eq!((tenant.placement, tenant.status), (Placement::Dedicated, Status::Active), "it works");
    world.rows.break_down("nothing");
    assert_eq!(world.control().recover().await.unwrap().ended.len(), 1);
    assert_eq!(world.rows.taken().iter().filter(|step| *step == "clean_up").count(), 1);
    assert!(!world.rows.taken().contains(&"abandon".to_owned()));
}

#[tokio::test]
async fn a_failed_way_back_is_gone_on_with() {
    let world = World::new().await;
    world.rows.break_down("fence");
    *world.rows.broken_too.lock().unwrap() = Some("abandon");
    let error = world.control().move_to(&acme(), Placement::Dedicated).await.unwrap_err();
    assert!(matches!(error, VerbError::Unfinished { .. }), "{error:?}");
    *world.rows.broken_too.lock().unwrap() = None;
    // Nothing else is done to the tenant before.
    world.rows.break_down("nothing");
    world.control().move_to(&acme(), Placement::Dedicated).await.unwrap();
    let taken = world.rows.taken();
    let abandoned = taken.iter().position(|step| step == "abandon").unwrap();
    assert_eq!(taken[abandoned + 1..], ["prepare", "copy", "catch_up", "catch_up", "fence", "clean_up"]);
}

#[tokio::test]
async fn given_again_after_it_was_killed_it_is_the_same_move() {
    let mut kills = 0;
    for polls in 1.. {
        let world = World::new().await;
        let moving = world.control().with_lease(LEASE);
        let killed = crate::dropped_after(polls, moving.move_to(&acme(), Placement::Dedicated)).await.is_none();
        if killed {
            kills += 1;
            // What it had asked the catalog for last is done before this is, and its lease runs out.
            world.catalog.describe_settings("{}").await.unwrap();
            tokio::time::sleep(LEASE * 2).await;
            match world.control().move_to(&acme(), Placement::Dedicated).await {
                Ok(ended) => assert_eq!(ended.tenant.unwrap().placement, Placement::Dedicated),
                // It had been switched, and all that was left to be done is done now.
                Err(error) => assert!(matches!(error, VerbError::SamePlacement { .. }), "{error:?}"),
            }
        }
        assert_eq!(world.catalog.by_slug(&acme()).await.unwrap().unwrap().placement, Placement::Dedicated);
        assert_eq!(world.catalog.history(None, None, 10).await.unwrap().len(), 1);
        let taken = world.rows.taken();
        let first = taken.iter().position(|step| step == "clean_up").unwrap();
        assert!(taken[first..].iter().all(|step| step == "clean_up"), "{taken:?}");
        if !killed {
            break;
        }
    }
    assert!(kills > 0);
}

#[tokio::test]
async fn rows_that_are_elsewhere_are_not_copied_over() {
    let world = World::new().await;
    world.rows.break_down("fence");
    *world.rows.broken_too.lock().unwrap() = Some("abandon");
    world.control().move_to(&acme(), Placement::Dedicated).await.unwrap_err();
    // Somebody changes the record by hand, and the operation is taken for one that is on its way.
    let id = world.catalog.by_slug(&acme()).await.unwrap().unwrap().id;
    let elsewhere = tenantry_core::Amendment { placement: Some(Placement::Dedicated), ..Default::default() };
    world.catalog.amend(id, &elsewhere, None).await.unwrap();
    let operation = world.catalog.of(id).await.unwrap().unwrap();
    let worker = tenantry_core::Worker { name: "somebody".to_owned(), lease: Duration::ZERO };
    world.catalog.take(operation.id, &worker).await.unwrap();
    let forth = tenantry_core::Progress { steps: 0, ..Default::default() };
    world.catalog.write(operation.id, &worker, &forth).await.unwrap();
    world.rows.break_down("nothing");
    *world.rows.broken_too.lock().unwrap() = None;
    let before = world.rows.taken().len();
    let undone = world.control().resume_operation(operation.id).await.unwrap_err();
    assert!(undone.to_string().contains("its rows are dedicated already"), "{undone}");
    assert_eq!(world.rows.taken().len(), before);
}

#[tokio::test]
async fn two_moves_exclude_each_other() {
    let world = World::new().await;
    let (one, two) = (world.control(), world.control());
    let tenant = acme();
    let (one, two) =
        tokio::join!(one.move_to(&tenant, Placement::Dedicated), two.move_to(&tenant, Placement::Dedicated));
    let busy = |error: &VerbError| {
        matches!(error, VerbError::Ledger(LedgerError::Busy { .. }) | VerbError::SamePlacement { .. })
    };
    assert!(one.is_ok() != two.is_ok() && one.err().or(two.err()).is_some_and(|error| busy(&error)));
}

/// How long the tests' workers are waited for.
const LEASE: Duration = Duration::from_millis(15);

struct World {
    catalog: Arc<SqliteCatalog>,
    rows: Arc<Nowhere>,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenantry.db");
        let catalog = Arc::new(SqliteCatalog::open(path, OpenOptions::create_if_missing()).await.unwrap());
        catalog.create(NewTenant::new(acme())).await.unwrap();
        Self { catalog, rows: Arc::default(), _folder: folder }
    }

    fn control(&self) -> Control {
        Control::new(Arc::clone(&self.catalog), Plans::default())
            .with_movable(Arc::clone(&self.rows) as Arc<dyn MovableRows>)
            .with_settle(Duration::ZERO)
    }
}

/// Rows that notes down what is done with them.
#[derive(Default)]
struct Nowhere {
    taken: Mutex<Vec<String>>,
    broken: Mutex<Option<&'static str>>,
    broken_too: Mutex<Option<&'static str>>,
    caught_up: Mutex<u32>,
}

impl Nowhere {
    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    fn break_down(&self, at: &'static str) {
        *self.broken.lock().unwrap() = Some(at);
    }

    async fn take(&self, step: &str, moving: &Moving) -> Result<(), PlaneError> {
        tokio::task::yield_now().await;
        assert_ne!(moving.from.placement, moving.to.placement);
        assert_eq!(moving.from.id, moving.to.id);
        if [&self.broken, &self.broken_too].iter().any(|broken| *broken.lock().unwrap() == Some(step)) {
            return Err(PlaneError::new("rows", &moving.from, "no space left"));
        }
        self.taken.lock().unwrap().push(step.to_owned());
        Ok(())
    }
}

impl MovableRows for Nowhere {
    fn prepare<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(self.take("prepare", moving))
    }

    fn copy<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.take("copy", moving).await?;
            Ok(Amount::items(3))
        })
    }

    /// Many rows at first, then none.
    fn catch_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<u64, PlaneError>> {
        Box::pin(async move {
            self.take("catch_up", moving).await?;
            let mut times = self.caught_up.lock().unwrap();
            *times += 1;
            Ok(if times.is_multiple_of(2) { 0 } else { 5000 })
        })
    }

    fn fence<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(self.take("fence", moving))
    }

    fn clean_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.take("clean_up", moving).await?;
            Ok(Amount::items(3))
        })
    }

    fn abandon<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(self.take("abandon", moving))
    }
}

fn acme() -> Slug {
    "acme".parse().unwrap()
}
