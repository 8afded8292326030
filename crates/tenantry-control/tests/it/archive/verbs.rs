//! Export and import as verbs: with a record, an operation, and an entry in the audit log.

use std::{io::Cursor, time::Duration};

use tenantry_control::{Control, VerbError, archive::Portable};
use tenantry_core::{Audit, AuditFilter, Catalog, Ledger, NewTenant, Outcome, Plane, SettingChange, Slug};
use tenantry_resource::{MasterKeys, settings::PortableOverrides};
use tenantry_sqlx::{OpenOptions, SqliteCatalog, SqliteRows};

use super::*;

struct Deployment {
    world: World,
    catalog: Arc<SqliteCatalog>,
}

impl Deployment {
    /// A catalog whose acme has rows. Ids in it are not those of the world's own tenants.
    async fn new() -> Self {
        let world = World::new().await;
        let path = world.file("catalog.db");
        let catalog = Arc::new(SqliteCatalog::open(path, OpenOptions::create_if_missing()).await.unwrap());
        let deployment = Self { world, catalog };
        let archive = deployment.world.archive().await;
        deployment
            .control()
            .import(NewTenant::new(slug("acme")), Cursor::new(archive), Options::default())
            .await
            .unwrap();
        deployment
    }

    fn control(&self) -> Control {
        let settings = PortableOverrides::new(MasterKeys::parse(KEY).unwrap());
        let portable =
            Portable { rows: Arc::new(self.world.rows()), uploads: None, settings: Some(Arc::new(settings)) };
        let planes = [Arc::new(SqliteRows::new(self.world.options.clone())) as Arc<dyn Plane>];
        Control::new(Arc::clone(&self.catalog), Plans::default())
            .with_planes(planes)
            .with_portable(portable)
            .with_settle(Duration::ZERO)
            .with_lease(Duration::from_millis(20))
    }

    async fn rows_of(&self, name: &str) -> u64 {
        let tenant = self.catalog.by_slug(&slug(name)).await.unwrap().unwrap();
        SqliteRows::new(self.world.options.clone()).count(&tenant).await.unwrap().items
    }
}

#[tokio::test]
async fn what_is_exported_becomes_another_tenant() {
    let deployment = Deployment::new().await;
    let set = SettingChange { path: "title".parse().unwrap(), value: Some("Acme".into()) };
    let acme = deployment.catalog.by_slug(&slug("acme")).await.unwrap().unwrap();
    let amendment = tenantry_core::Amendment { settings: vec![set], ..Default::default() };
    deployment.catalog.amend(acme.id, &amendment, None).await.unwrap();
    let file = deployment.world.file("acme.tnt");
    let summary = deployment.control().export(&slug("acme"), &file, Options::default()).await.unwrap();
    let from = std::fs::File::open(&file).unwrap();
    let mut new = NewTenant::new(slug("copy"));
    new.status = Status::Suspended;
    let (ended, imported) = deployment.control().import(new, from, Options::default()).await.unwrap();
    assert_eq!(imported.as_ref(), Some(&summary));
    let copy = ended.tenant.unwrap();
    assert_eq!((copy.status, copy.settings.to_json().as_str()), (Status::Suspended, r#"{"title":"Acme"}"#));
    assert_eq!(ended.operation.progress.amounts["rows"].items, summary.rows.iter().sum::<u64>());
    assert_eq!(deployment.rows_of("copy").await, deployment.rows_of("acme").await);
    let entries = deployment.catalog.entries(0, AuditFilter::Of(acme.id), 100).await.unwrap();
    assert!(entries.iter().any(|entry| entry.deed.verb == "exported"), "who took the data is written down");
}

#[tokio::test]
async fn a_damaged_archive_leaves_no_tenant() {
    let deployment = Deployment::new().await;
    let mut archive = deployment.world.archive().await;
    let before = deployment.world.all().await;
    let middle = archive.len() / 2;
    archive[middle] ^= 1;
    let new = NewTenant::new(slug("copy"));
    let error = deployment.control().import(new, Cursor::new(archive), Options::default()).await.unwrap_err();
    assert!(matches!(error, VerbError::Undone { .. }), "{error:?}");
    assert!(error.to_string().contains("damaged"), "{error}");
    assert_eq!(deployment.catalog.by_slug(&slug("copy")).await.unwrap(), None);
    assert_eq!(deployment.world.all().await, before);
}

#[tokio::test]
async fn a_dry_run_reads_an_archive_as_an_import_does() {
    let deployment = Deployment::new().await;
    let archive = deployment.world.archive().await;
    let before = deployment.world.all().await;
    let new = || NewTenant::new(slug("copy"));
    let control = deployment.control();
    let (foreseen, summary) =
        control.dry_run().import(new(), Cursor::new(archive.clone()), Options::default()).await.unwrap();
    assert_eq!((foreseen.before, foreseen.steps), (None, vec!["import".to_owned(), "open".to_owned()]));
    assert_eq!(foreseen.copied["rows"].items, summary.rows.iter().sum::<u64>());
    assert_eq!(foreseen.after.unwrap().status, Status::Active);
    let mut damaged = archive.clone();
    damaged[archive.len() / 2] ^= 1;
    let misfit: Vec<_> = members(&archive)
        .into_iter()
        .map(|(name, content)| match name.as_str() {
            "header.json" => {
                let text = String::from_utf8(content).unwrap();
                (name, text.replace("\"notes\"", "\"nowhere\"").into_bytes())
            }
            _ => (name, content),
        })
        .collect();
    for (archive, says) in [(damaged, "damaged"), (packed(&misfit), "there is no table \"nowhere\" here")] {
        let said = control.dry_run().import(new(), Cursor::new(archive.clone()), Options::default()).await.unwrap_err();
        assert!(matches!(said, VerbError::WouldFail { .. }) && said.to_string().contains(says), "{said}");
        let done = control.import(new(), Cursor::new(archive), Options::default()).await.unwrap_err();
        assert!(done.to_string().contains(says), "{done}");
        assert_eq!(said.code(), done.code());
    }
    assert_eq!(deployment.catalog.by_slug(&slug("copy")).await.unwrap(), None);
    assert_eq!(deployment.world.all().await, before);
}

#[tokio::test]
async fn a_killed_import_is_taken_back_by_whoever_comes_next() {
    let deployment = Deployment::new().await;
    let archive = deployment.world.archive().await;
    let before = deployment.world.all().await;
    let mut kills = 0;
    for polls in 1.. {
        let control = deployment.control();
        let new = NewTenant::new(slug("copy"));
        let import = control.import(new, Cursor::new(archive.clone()), Options::default());
        if crate::dropped_after(polls, import).await.is_some() {
            break;
        }
        kills += 1;
        // What it had asked the databases for last is done before this is, and its lease runs out.
        deployment.catalog.describe_settings("{}").await.unwrap();
        tokio::time::sleep(Duration::from_millis(40)).await;
        deployment.control().recover().await.unwrap();
        match deployment.catalog.by_slug(&slug("copy")).await.unwrap() {
            None => assert_eq!(deployment.world.all().await, before, "after {polls} polls"),
            // It had all, and was only to be opened.
            Some(tenant) => {
                assert_eq!((tenant.status, deployment.rows_of("copy").await), (Status::Active, 3));
                let control = deployment.control();
                control.delete(&slug("copy"), Duration::ZERO).await.unwrap();
                control.erase(&slug("copy"), tenantry_control::Erasing::Now).await.unwrap();
            }
        }
        let unfinished = deployment.control().ledger().history(None, None, 100).await.unwrap();
        assert!(unfinished.iter().all(|operation| {
            operation.outcome.is_some_and(|outcome| matches!(outcome, Outcome::Done | Outcome::Undone))
        }));
    }
    assert!(kills > 0, "{kills}");
}

#[tokio::test]
async fn of_what_is_being_erased_no_archive_is_left() {
    let deployment = Deployment::new().await;
    let (acme, control) = (slug("acme"), deployment.control());
    let file = deployment.world.file("acme.tnt");
    control.export(&acme, &file, Options::default()).await.unwrap();
    let before = std::fs::read(&file).unwrap();
    let record = deployment.catalog.by_slug(&acme).await.unwrap().unwrap();
    let subject = tenantry_core::Subject::Existing(record.id, record.revision);
    let erasing = tenantry_core::NewOperation { subject, verb: "erase".to_owned(), input: "{}".to_owned() };
    let worker = tenantry_core::Worker { name: "somebody".to_owned(), lease: Duration::from_secs(60) };
    deployment.catalog.begin(erasing, &worker).await.unwrap();
    let changed = control.export(&acme, &file, Options::default()).await.unwrap_err();
    assert!(matches!(&changed, VerbError::Changed { tenant } if *tenant == acme), "{changed:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before, "the one that was there before");
    let changed = control.export_to(&acme, Vec::new(), Options::default()).await.map(drop).unwrap_err();
    assert!(matches!(changed, VerbError::Changed { .. }), "{changed:?}");
}

#[tokio::test]
async fn a_tenant_that_is_being_prepared_is_not_exported_and_one_that_is_deleted_is() {
    let deployment = Deployment::new().await;
    let mut new = NewTenant::new(slug("half"));
    new.status = Status::Provisioning;
    deployment.catalog.create(new).await.unwrap();
    let control = deployment.control();
    let error = control.export_to(&slug("half"), Vec::new(), Options::default()).await.unwrap_err();
    assert!(matches!(error, VerbError::Provisioning { .. }), "{error:?}");
    control.delete(&slug("acme"), Duration::from_secs(60)).await.unwrap();
    let (archive, _) = control.export_to(&slug("acme"), Vec::new(), Options::default()).await.unwrap();
    assert!(archive::inspect(&*archive, &archive::ReadLimits::default()).is_ok());
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

const KEY: &str = "3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=";
