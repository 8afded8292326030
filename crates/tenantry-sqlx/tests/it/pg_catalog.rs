//! The catalog in PostgreSQL: opening it, sharing it, and everything that can be wrong with it.

use std::{error::Error, sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenantry_core::{Catalog, CatalogError, Status};
use tenantry_sqlx::{OpenOptions, PgCatalog};
use tenantry_test::server::{TestDatabase, TestServer};
use tokio::task::JoinSet;

use crate::{compliance, new};

#[tokio::test]
async fn it_keeps_the_promises_of_a_catalog() {
    let database = TestDatabase::new().await.unwrap();
    let catalog = open(&database).await;
    compliance::check(&catalog).await;
    compliance::every_change_is_logged(&catalog).await;
    let pool = sqlx::PgPool::connect(database.url()).await.unwrap();
    for change in ["UPDATE tenantry.catalog_audit SET who = 'nobody'", "DELETE FROM tenantry.catalog_audit"] {
        let error = sqlx::query(change).execute(&pool).await.unwrap_err();
        assert!(error.to_string().contains("the audit log is only added to"), "{change}: {error}");
    }
}

#[tokio::test]
async fn what_was_written_is_there_for_the_next_one() {
    let database = TestDatabase::new().await.unwrap();
    let catalog = open(&database).await;
    let acme = catalog.create(new("acme", &["acme-old"])).await.unwrap();
    let lost = catalog.create(new("lost", &[])).await.unwrap();
    catalog.remove(lost.id).await.unwrap();
    catalog.close().await;
    let catalog = PgCatalog::open(database.url(), OpenOptions::must_exist()).await.unwrap();
    assert_eq!(catalog.by_id(acme.id).await.unwrap(), Some(acme));
    let (place, password) = without_password(database.url());
    assert_eq!(catalog.place(), place);
    assert!(!format!("{catalog:?}").contains(&password), "{catalog:?}");
    assert!(catalog.create(new("next", &[])).await.unwrap().id > lost.id);
}

#[tokio::test]
async fn of_two_who_want_a_name_one_gets_it() {
    let database = TestDatabase::new().await.unwrap();
    let catalogs = [Arc::new(open(&database).await), Arc::new(open(&database).await)];
    for round in 0..3 {
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
async fn no_write_of_many_is_lost() {
    let database = TestDatabase::new().await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let catalog = open(&database).await;
        writers.spawn(async move {
            for n in 0..10 {
                let tenant = catalog.create(new(&format!("tenant-{writer}-{n}"), &[])).await.unwrap();
                catalog.set_status(tenant.id, Status::Suspended).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let catalog = open(&database).await;
    let tenants = catalog.page(None, 1000).await.unwrap();
    assert_eq!(tenants.len(), 60);
    assert!(tenants.iter().all(|tenant| tenant.status == Status::Suspended));
    assert_eq!(catalog.version().await.unwrap().get(), 120, "each write has a version of its own");
}

#[tokio::test]
async fn many_can_make_the_tables_at_once() {
    let database = Arc::new(TestDatabase::new().await.unwrap());
    let mut opens = JoinSet::new();
    for n in 0..8 {
        let database = Arc::clone(&database);
        opens.spawn(async move { open(&database).await.create(new(&format!("tenant-{n}"), &[])).await });
    }
    assert!(opens.join_all().await.iter().all(Result::is_ok));
    assert_eq!(open(&database).await.page(None, 10).await.unwrap().len(), 8);
}

#[tokio::test]
async fn an_older_copy_of_the_database_does_not_give_ids_away_again() {
    let database = TestDatabase::new().await.unwrap();
    let catalog = open(&database).await;
    catalog.create(new("acme", &[])).await.unwrap();
    execute(database.url(), "CREATE TABLE copy AS TABLE tenantry.catalog").await;
    let mut lost = Vec::new();
    for slug in ["victim", "other"] {
        lost.push(catalog.create(new(slug, &[])).await.unwrap().id);
    }
    let restore = "DELETE FROM tenantry.catalog_tenants WHERE revision > (SELECT version FROM copy);
        UPDATE tenantry.catalog SET (version, last_id) = (SELECT version, last_id FROM copy)";
    execute(database.url(), restore).await;
    let late = catalog.create(new("evil", &[])).await.unwrap();
    assert!(lost.iter().all(|id| *id < late.id), "{lost:?} {}", late.id);
}

#[tokio::test]
async fn a_database_without_a_catalog_is_no_empty_catalog() {
    let database = TestDatabase::new().await.unwrap();
    let expected = "the database has no catalog in it; check the URL, or create a tenant to start anew";
    refused(database.url(), OpenOptions::must_exist(), expected).await;
    execute(database.url(), "CREATE SCHEMA tenantry; CREATE TABLE tenantry.catalog (recipes text)").await;
    let expected =
        "the database has a table tenantry.catalog of something else; give the catalog a database of its own";
    refused(database.url(), OpenOptions::create_if_missing(), expected).await;
}

#[tokio::test]
async fn a_catalog_of_a_newer_version_is_refused() {
    let database = TestDatabase::new().await.unwrap();
    open(&database).await;
    execute(database.url(), "UPDATE tenantry.catalog SET layout = 7").await;
    let expected = "it was written by a newer version of Tenantry (tables 7, this one knows 6); update it";
    refused(database.url(), OpenOptions::create_if_missing(), expected).await;
}

/// Tables that the first version has made, with a tenant in them.
#[tokio::test]
async fn an_older_catalog_takes_the_steps_that_are_left() {
    let database = TestDatabase::new().await.unwrap();
    execute(database.url(), include_str!("../../src/catalog/postgres/schema/1.sql")).await;
    let tenant =
        "INSERT INTO tenantry.catalog_tenants VALUES (7, 'active', 'default', 'shared', 1700000000000, NULL, 1);
        INSERT INTO tenantry.catalog_names VALUES ('acme', 7, 0); UPDATE tenantry.catalog SET version = 1, last_id = 7";
    execute(database.url(), tenant).await;
    let catalog = open(&database).await;
    let acme = catalog.by_slug(&"acme".parse().unwrap()).await.unwrap().unwrap();
    assert!(acme.settings.is_empty() && acme.template.is_none());
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named() {
    let database = TestDatabase::new().await.unwrap();
    let catalog = open(&database).await;
    let acme = catalog.create(new("acme", &[])).await.unwrap();
    execute(database.url(), "UPDATE tenantry.catalog_tenants SET status = 'happy'").await;
    let error = catalog.by_id(acme.id).await.unwrap_err();
    assert!(error.to_string().contains(&format!("is damaged: tenant {} has a wrong status: ", acme.id)), "{error}");
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_why() {
    let mut database = TestDatabase::new().await.unwrap();
    let role = database.role("app").await.unwrap();
    let name = &role.name;
    let options = OpenOptions::create_if_missing();

    let wrong = role.url.replace(&role.password, "hush-hush");
    let expected = format!("the server does not let the role {name} in; check the user and the password in the URL");
    refused(&wrong, options.clone(), &expected).await;

    let elsewhere = role.url.replace(&format!("/{}?", database.name()), "/nowhere?");
    refused(&elsewhere, options.clone(), "there is no database nowhere; create it, or check the URL").await;

    let expected = format!(
        "the role {name} may not do that; it needs USAGE on the schema tenantry and rights on its tables, or CREATE on \
         the database to make them"
    );
    refused(&role.url, options.clone(), &expected).await;
}

#[tokio::test]
async fn whoever_only_serves_needs_to_read_only() {
    let mut database = TestDatabase::new().await.unwrap();
    let owner = open(&database).await;
    let acme = owner.create(new("acme", &[])).await.unwrap();
    let role = database.role("app").await.unwrap();
    let grant = format!(
        "GRANT USAGE ON SCHEMA tenantry TO {name};
         GRANT SELECT ON tenantry.catalog, tenantry.catalog_tenants, tenantry.catalog_names, tenantry.catalog_removed
         TO {name}",
        name = role.name
    );
    execute(database.url(), &grant).await;
    let reader = PgCatalog::open(&role.url, OpenOptions::create_if_missing()).await.unwrap();
    assert_eq!(reader.by_id(acme.id).await.unwrap().as_ref(), Some(&acme));
    let error = reader.set_status(acme.id, Status::Suspended).await.unwrap_err();
    assert!(told(&error).contains(" may not do that; it needs "), "{}", told(&error));
    assert_eq!(reader.by_id(acme.id).await.unwrap(), Some(acme));
}

#[tokio::test]
async fn who_keeps_the_catalog_locked_is_waited_for_but_not_for_ever() {
    let database = TestDatabase::new().await.unwrap();
    let patient = open(&database).await;
    let options = OpenOptions::must_exist().busy_timeout(Duration::from_millis(50));
    let hasty = PgCatalog::open(database.url(), options).await.unwrap();
    let acme = patient.create(new("acme", &[])).await.unwrap();
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    other.execute("BEGIN; UPDATE tenantry.catalog SET version = version + 1").await.unwrap();
    let error = hasty.set_status(acme.id, Status::Suspended).await.unwrap_err();
    let expected = "another session has kept the catalog locked for 50ms; see which one in pg_stat_activity";
    assert_eq!(told(&error), format!("the catalog {} is not available: {expected}", hasty.place()));
    assert_eq!(hasty.by_id(acme.id).await.unwrap().unwrap().status, Status::Active, "readers need not wait");
    let (written, ()) = tokio::join!(patient.set_status(acme.id, Status::Suspended), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        other.execute("COMMIT").await.unwrap();
    });
    assert_eq!(written.unwrap().status, Status::Suspended);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let database = TestDatabase::new().await.unwrap();
    let options = OpenOptions::create_if_missing().busy_timeout(Duration::from_millis(50));
    let catalog = PgCatalog::open(database.url(), options).await.unwrap();
    let acme = catalog.create(new("acme", &[])).await.unwrap();
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    // Reading does not wait for a row's lock, but for this one.
    other.execute("BEGIN; LOCK TABLE tenantry.catalog_tenants IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let error = catalog.by_id(acme.id).await.unwrap_err();
    assert!(told(&error).contains("the server has not answered for 50ms"), "{}", told(&error));
    other.execute("COMMIT").await.unwrap();
    assert_eq!(catalog.by_id(acme.id).await.unwrap(), Some(acme), "the answer that came late is for nobody");
}

#[tokio::test]
async fn a_server_that_was_away_is_found_again() {
    let server = TestServer::start().unwrap();
    let database = TestDatabase::on(&server).await.unwrap();
    let catalog = open(&database).await;
    let acme = catalog.create(new("acme", &[])).await.unwrap();
    server.stop().unwrap();
    let away = "the server is away; see whether it runs, and whether it is there that the URL says";
    for _ in 0..2 {
        let error = catalog.set_status(acme.id, Status::Suspended).await.unwrap_err();
        assert_eq!(told(&error), format!("the catalog {} is not available: {away}", catalog.place()));
    }
    refused(database.url(), OpenOptions::create_if_missing(), away).await;
    server.start_again().unwrap();
    assert_eq!(catalog.set_status(acme.id, Status::Suspended).await.unwrap().status, Status::Suspended);
    server.stop().unwrap();
    server.start_again().unwrap();
    assert_eq!(
        catalog.by_id(acme.id).await.unwrap().unwrap().status,
        Status::Suspended,
        "a cut connection is no error"
    );
}

/// Opens the catalog in the database, and makes it where there is none.
pub(crate) async fn open(database: &TestDatabase) -> PgCatalog {
    PgCatalog::open(database.url(), OpenOptions::create_if_missing()).await.unwrap()
}

/// Opening is refused for this reason, and nothing that is said of it has the password in it.
async fn refused(url: &str, options: OpenOptions, reason: &str) {
    let error = PgCatalog::open(url, options).await.unwrap_err();
    let (place, password) = without_password(url);
    assert_eq!(told(&error), format!("the catalog {place} is not available: {reason}"));
    assert!(!format!("{error:?}").contains(&password), "{error:?}");
}

/// The URL as it is shown, and what is left out.
fn without_password(url: &str) -> (String, String) {
    let (before, after) = url.split_once('@').unwrap();
    let (scheme_and_role, password) = before.rsplit_once(':').unwrap();
    let place = after.split_once('?').map_or(after, |(place, _)| place);
    (format!("{scheme_and_role}@{place}"), password.to_owned())
}

/// The error with its cause, as somebody is told.
fn told(error: &CatalogError) -> String {
    error.source().map_or(error.to_string(), |cause| format!("{error}: {cause}"))
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
