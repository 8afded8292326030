//! The file: opening it, sharing it, and everything that can be wrong with it.

use std::{error::Error, fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use sqlx::{Connection, Executor, SqliteConnection};
use tenantry_core::{Catalog, CatalogError, Status};
use tenantry_sqlx::{OpenOptions, SqliteCatalog};
use tokio::task::JoinSet;

use crate::{Home, compliance, new};

#[tokio::test]
async fn it_keeps_the_promises_of_a_catalog() {
    let home = Home::new();
    let catalog = home.open().await;
    compliance::check(&catalog).await;
    compliance::every_change_is_logged(&catalog).await;
    let mut file = SqliteConnection::connect(&format!("sqlite://{}", catalog.path().display())).await.unwrap();
    for change in ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"] {
        let error = sqlx::query(change).execute(&mut file).await.unwrap_err();
        assert!(error.to_string().contains("the audit log is only added to"), "{change}: {error}");
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let home = Home::new();
    let catalog = home.open().await;
    let acme = catalog.create(new("acme", &["acme-old"])).await.unwrap();
    let lost = catalog.create(new("lost", &[])).await.unwrap();
    catalog.remove(lost.id).await.unwrap();
    catalog.close().await;
    let catalog = SqliteCatalog::open(home.path(), OpenOptions::must_exist()).await.unwrap();
    assert_eq!(catalog.by_id(acme.id).await.unwrap(), Some(acme));
    assert!(catalog.create(new("next", &[])).await.unwrap().id > lost.id);
}

#[tokio::test]
async fn only_its_owner_can_read_the_file() {
    let home = Home::new();
    let catalog = home.open().await;
    catalog.create(new("acme", &[])).await.unwrap();
    let mode = fs::metadata(home.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn of_two_who_want_a_name_one_gets_it() {
    let home = Home::new();
    let catalogs = [Arc::new(home.open().await), Arc::new(home.open().await)];
    for round in 0..5 {
        let mut attempts = JoinSet::new();
        for n in 0..8 {
            let (catalog, slug) = (Arc::clone(&catalogs[n % 2]), format!("wanted-{round}"));
            attempts.spawn(async move { catalog.create(new(&slug, &[])).await });
        }
        let results = attempts.join_all().await;
        let refused = results.iter().filter(|result| matches!(result, Err(CatalogError::NameTaken { .. }))).count();
        assert_eq!((results.iter().filter(|result| result.is_ok()).count(), refused), (1, 7));
    }
}

#[tokio::test]
async fn many_can_make_the_file_at_once() {
    let home = Home::new();
    let mut opens = JoinSet::new();
    for n in 0..8 {
        let path = home.path();
        opens.spawn(async move {
            let catalog = SqliteCatalog::open(path, OpenOptions::create_if_missing()).await?;
            catalog.create(new(&format!("tenant-{n}"), &[])).await
        });
    }
    let ids: Vec<_> = opens.join_all().await.into_iter().map(|tenant| tenant.unwrap().id).collect();
    assert_eq!(ids.len(), 8);
    assert_eq!(home.open().await.page(None, 10).await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_wrong_path_is_no_empty_catalog() {
    let home = Home::new();
    let place = home.path().display().to_string();
    refused(
        &home.path(),
        OpenOptions::must_exist(),
        &format!("the catalog {place} is not available: the file does not exist; check the path, or create a tenant to start anew"),
    )
    .await;
    assert!(!home.path().exists());
    let deep = home.folder().join("missing/tenantry.db");
    let folder = home.folder().join("missing");
    for options in [OpenOptions::must_exist(), OpenOptions::create_if_missing()] {
        let message = format!(
            "the catalog {} is not available: the folder {} does not exist; create it, or check the path",
            deep.display(),
            folder.display()
        );
        refused(&deep, options, &message).await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_catalog_is_refused() {
    let home = Home::new();
    let place = home.path().display().to_string();
    fs::write(home.path(), "").unwrap();
    let empty = "the file is empty; restore a backup, or remove it to start anew";
    refused(&home.path(), OpenOptions::must_exist(), &format!("the catalog {place} is not available: {empty}")).await;

    fs::write(home.path(), "dear diary, ".repeat(1000)).unwrap();
    let damaged = format!("the catalog {place} is damaged: it is not a SQLite database");
    refused(&home.path(), OpenOptions::create_if_missing(), &damaged).await;

    fs::remove_file(home.path()).unwrap();
    execute(&home.path(), "CREATE TABLE notes (id INTEGER)").await;
    let foreign = "the file is a database of something else; give the catalog a file of its own";
    let message = format!("the catalog {place} is not available: {foreign}");
    refused(&home.path(), OpenOptions::create_if_missing(), &message).await;

    let folder = SqliteCatalog::open(home.folder(), OpenOptions::create_if_missing()).await;
    assert!(matches!(folder, Err(CatalogError::Unavailable { .. })), "{folder:?}");
}

#[tokio::test]
async fn a_catalog_of_a_newer_version_is_refused() {
    let home = Home::new();
    home.open().await.close().await;
    execute(&home.path(), "PRAGMA user_version = 7").await;
    let message = format!(
        "the catalog {} is not available: the file was written by a newer version of Tenantry (tables 7, this one \
         knows 6); update it",
        home.path().display()
    );
    refused(&home.path(), OpenOptions::create_if_missing(), &message).await;
}

/// A file that the first version has made, with a tenant in it.
#[tokio::test]
async fn an_older_catalog_takes_the_steps_that_are_left() {
    let home = Home::new();
    let first = include_str!("../../src/catalog/sqlite/schema/1.sql");
    execute(&home.path(), first).await;
    let tenant = "INSERT INTO tenants VALUES (7, 'active', 'default', 'shared', 1700000000000, NULL, 1);
        INSERT INTO names VALUES ('acme', 7, 0); UPDATE catalog SET version = 1";
    execute(&home.path(), tenant).await;
    let catalog = home.open().await;
    let acme = catalog.by_slug(&"acme".parse().unwrap()).await.unwrap().unwrap();
    assert!(acme.settings.is_empty() && acme.template.is_none());
}

#[tokio::test]
async fn a_broken_page_is_an_error_and_no_more() {
    let home = Home::new();
    let catalog = home.open().await;
    for n in 0..200 {
        catalog.create(new(&format!("tenant-{n}"), &[&format!("alias-of-tenant-{n}")])).await.unwrap();
    }
    catalog.close().await;
    let mut bytes = fs::read(home.path()).unwrap();
    let page = 4096;
    assert!(bytes.len() > 6 * page);
    // The first page has the schema; the others have the rows.
    bytes[page..].fill(0xa5);
    fs::write(home.path(), bytes).unwrap();
    let catalog = SqliteCatalog::open(home.path(), OpenOptions::must_exist()).await.unwrap();
    let error = catalog.page(None, 1000).await.unwrap_err();
    let message = "is damaged: a page of it cannot be read; restore a backup";
    assert!(error.to_string().ends_with(message), "{error}");
    assert!(matches!(catalog.create(new("more", &[])).await, Err(CatalogError::Corrupt { .. })));
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named() {
    let home = Home::new();
    let catalog = home.open().await;
    let acme = catalog.create(new("acme", &[])).await.unwrap();
    execute(&home.path(), "UPDATE tenants SET status = 'happy'").await;
    let error = catalog.by_id(acme.id).await.unwrap_err();
    assert!(error.to_string().contains(&format!("is damaged: tenant {} has a wrong status: ", acme.id)), "{error}");
}

#[tokio::test]
async fn who_keeps_the_file_locked_is_waited_for_but_not_for_ever() {
    let home = Home::new();
    let patient = home.open().await;
    let options = OpenOptions::must_exist().busy_timeout(Duration::from_millis(50));
    let hasty = SqliteCatalog::open(home.path(), options).await.unwrap();
    let acme = patient.create(new("acme", &[])).await.unwrap();

    let mut other = connect(&home.path()).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let error = hasty.set_status(acme.id, Status::Suspended).await.unwrap_err();
    let message = format!(
        "the catalog {} is not available: another process has kept the file locked for 50ms; see which one has it open",
        home.path().display()
    );
    assert_eq!(told(&error), message);
    assert_eq!(
        hasty.by_id(acme.id).await.unwrap().unwrap().status,
        Status::Active,
        "readers need not wait for a writer"
    );

    let (written, ()) = tokio::join!(patient.set_status(acme.id, Status::Suspended), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        other.execute("COMMIT").await.unwrap();
    });
    assert_eq!(written.unwrap().status, Status::Suspended);
}

#[tokio::test]
async fn a_file_that_somebody_has_for_himself_cannot_be_opened() {
    let home = Home::new();
    home.open().await.close().await;
    let mut other = connect(&home.path()).await;
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    let options = OpenOptions::must_exist().busy_timeout(Duration::from_millis(50));
    let error = SqliteCatalog::open(home.path(), options).await.unwrap_err();
    assert!(told(&error).contains("another process has kept the file locked for 50ms"), "{}", told(&error));
}

async fn refused(path: &Path, options: OpenOptions, message: &str) {
    assert_eq!(told(&SqliteCatalog::open(path, options).await.unwrap_err()), message);
}

/// The error with its cause, as somebody is told.
fn told(error: &CatalogError) -> String {
    error.source().map_or(error.to_string(), |cause| format!("{error}: {cause}"))
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

async fn execute(path: &Path, sql: &'static str) {
    let mut connection = connect(path).await;
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn an_older_copy_of_the_file_does_not_give_ids_away_again() {
    let home = Home::new();
    let catalog = home.open().await;
    catalog.create(new("acme", &[])).await.unwrap();
    let backup = home.path().with_extension("backup");
    fs::copy(home.path(), &backup).unwrap();
    let mut lost = Vec::new();
    for slug in ["victim", "other"] {
        lost.push(catalog.create(new(slug, &[])).await.unwrap().id);
    }
    fs::rename(&backup, home.path()).unwrap();
    let late = catalog.create(new("evil", &[])).await.unwrap();
    assert!(lost.iter().all(|id| *id < late.id), "{lost:?} {}", late.id);
}
