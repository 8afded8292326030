//! The mirror follows the catalog in PostgreSQL, through whatever happens to the server.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection};
use tenantry_core::{Catalog, Change, Mirror, Status};
use tenantry_sqlx::{FollowOptions, Follower};
use tenantry_test::server::{TestDatabase, TestServer};

use crate::{
    follow::{Log, Told, has, quick, until},
    new,
    pg_catalog::open,
};

#[tokio::test]
async fn a_write_of_another_process_is_seen_without_a_poll() {
    let database = TestDatabase::new().await.unwrap();
    let (mirror, told, _follower) = followed(&database, never()).await;
    let other = open(&database).await;
    let acme = other.create(new("acme", &["shop"])).await.unwrap();
    until("the tenant is there", || has(&mirror, "shop")).await;
    other.set_status(acme.id, Status::Suspended).await.unwrap();
    until("it is suspended", || mirror.by_id(acme.id).unwrap().status == Status::Suspended).await;
    other.remove(acme.id).await.unwrap();
    until("it is gone", || !has(&mirror, "acme") && !has(&mirror, "shop")).await;
    until("all of it is told", || told.lock().unwrap().len() == 3).await;
    assert!(matches!(told.lock().unwrap()[..], [Change::Upserted(_), Change::Upserted(_), Change::Removed { .. }]));
}

#[tokio::test]
async fn without_being_told_it_asks() {
    let database = TestDatabase::new().await.unwrap();
    let (mirror, _, _follower) = followed(&database, quick()).await;
    open(&database).await.create(new("acme", &[])).await.unwrap();
    until("the tenant is there", || has(&mirror, "acme")).await;
    // A change that nobody tells of.
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    let change = "UPDATE tenantry.catalog SET version = version + 1;
        UPDATE tenantry.catalog_tenants SET status = 'suspended', revision = (SELECT version FROM tenantry.catalog)";
    sqlx::raw_sql(change).execute(&mut other).await.unwrap();
    let acme = mirror.by_slug(&"acme".parse().unwrap()).unwrap().id;
    until("it is suspended", || mirror.by_id(acme).unwrap().status == Status::Suspended).await;
}

#[tokio::test]
async fn a_change_while_the_connection_is_cut_is_not_lost() {
    let database = TestDatabase::new().await.unwrap();
    let (mirror, _, _follower) = followed(&database, never()).await;
    let other = open(&database).await;
    let acme = other.create(new("acme", &[])).await.unwrap();
    until("the tenant is there", || has(&mirror, "acme")).await;
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    for (status, n) in [(Status::Suspended, 1), (Status::Active, 2), (Status::Expired, 3)] {
        // Whoever listens has to connect anew, and the change is made meanwhile.
        let cut = sqlx::query_scalar::<_, i64>(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert!(cut.fetch_one(&mut admin).await.unwrap() > 0, "round {n}");
        other.set_status(acme.id, status).await.unwrap();
        until("the change is seen", || mirror.by_id(acme.id).unwrap().status == status).await;
    }
    admin.close().await.unwrap();
}

#[tokio::test]
async fn while_the_server_is_away_tenants_stay_and_one_line_tells() {
    let server = TestServer::start().unwrap();
    let database = TestDatabase::on(&server).await.unwrap();
    let log = Log::default();
    let _guard = log.install();
    let (mirror, _, follower) = followed(&database, quick()).await;
    let catalog = open(&database).await;
    let acme = catalog.create(new("acme", &[])).await.unwrap();
    until("the tenant is there", || has(&mirror, "acme")).await;

    server.stop().unwrap();
    until("the outage is told", || log.count("tenants are served as they were last seen") == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(has(&mirror, "acme"));
    assert!(follower.catch_up().await.is_err());

    server.start_again().unwrap();
    catalog.set_status(acme.id, Status::Suspended).await.unwrap();
    until("the change is seen", || mirror.by_id(acme.id).unwrap().status == Status::Suspended).await;
    until("the recovery is told", || log.count("the catalog can be read again") == 1).await;
    assert_eq!(log.count("tenants are served as they were last seen"), 1, "once per outage");
    let loud = log.lines_with(["WARN", "ERROR"]);
    assert_eq!(loud.len(), 1, "and that is all: {loud:#?}");
    let password = database.url().split_once('@').unwrap().0.rsplit_once(':').unwrap().1;
    assert_eq!(log.count(password), 0);
}

#[tokio::test]
async fn another_catalog_takes_over_though_its_version_is_later() {
    let database = TestDatabase::new().await.unwrap();
    let catalog = open(&database).await;
    catalog.create(new("acme", &[])).await.unwrap();
    let (mirror, told, follower) = followed(&database, never()).await;
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    owner.execute("ALTER SCHEMA tenantry RENAME TO former").await.unwrap();
    assert!(follower.catch_up().await.is_err(), "nobody makes an empty one");
    assert!(has(&mirror, "acme"));
    let restored = open(&database).await;
    for n in 0..10 {
        restored.create(new(&format!("tenant-{n}"), &[])).await.unwrap();
    }
    follower.catch_up().await.unwrap();
    assert_eq!((mirror.len(), has(&mirror, "acme"), has(&mirror, "tenant-0")), (10, false, true));
    let gone = told.lock().unwrap().iter().filter(|change| matches!(change, Change::Removed { .. })).count();
    assert_eq!(gone, 1, "acme is told to be gone");
}

#[tokio::test]
async fn a_follower_that_is_dropped_no_longer_listens() {
    let database = TestDatabase::new().await.unwrap();
    let catalog = Arc::new(open(&database).await);
    let follower = catalog.follow(Arc::new(Mirror::new()), never()).await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let mut sessions = async || {
        let count =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::query_scalar::<_, i64>(count).fetch_one(&mut admin).await.unwrap()
    };
    let start = Instant::now();
    while sessions().await != 2 {
        assert!(start.elapsed() < Duration::from_secs(30), "one that reads, and one that listens");
    }
    follower.stop().await;
    catalog.close().await;
    while sessions().await != 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "nobody is left");
    }
}

async fn followed(database: &TestDatabase, options: FollowOptions) -> (Arc<Mirror>, Told, Follower) {
    let (mirror, told) = (Arc::new(Mirror::new()), Told::default());
    let catalog = Arc::new(open(database).await);
    let follower = catalog.follow(Arc::clone(&mirror), told.listen(options)).await.unwrap();
    (mirror, told, follower)
}

/// So that what is seen was told.
fn never() -> FollowOptions {
    FollowOptions::default().poll(Duration::from_secs(3600))
}
