//! Tenants that come and go while the server runs, and catalogs that cannot be used.

use std::{
    fs,
    time::{Duration, Instant, SystemTime},
};

use axum::http::Request;
use tenantry::{App, NewTenant, OpenError, Status, Stopped, Tenancy};

use crate::deployment::{Deployment, config, elsewhere, is_taken, raw};

async fn status(deployment: &Deployment, slug: &str) -> String {
    let request = format!("GET /t/{slug}/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    raw(deployment.address, &request).await[9..12].to_owned()
}

async fn until(deployment: &Deployment, slug: &str, expected: &str) {
    let begun = Instant::now();
    while status(deployment, slug).await != expected {
        assert!(begun.elapsed() < Duration::from_secs(30), "{slug} is not {expected} yet");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_changes_is_followed() {
    let deployment = Deployment::start().await;
    let other = elsewhere(&deployment).await.unwrap();
    let catalog = other.catalog();
    assert_eq!(status(&deployment, "acme").await, "200");

    let acme = catalog.by_slug(&"acme".parse().unwrap()).await.unwrap().unwrap().id;
    catalog.set_status(acme, Status::Suspended).await.unwrap();
    until(&deployment, "acme", "403").await;
    assert_eq!(status(&deployment, "globex").await, "200");
    catalog.set_status(acme, Status::Active).await.unwrap();
    until(&deployment, "acme", "200").await;

    let initech = catalog.create(NewTenant::new("initech".parse().unwrap())).await.unwrap();
    until(&deployment, "initech", "200").await;
    let taken = catalog.create(NewTenant::new("initech".parse().unwrap())).await.unwrap_err();
    assert!(is_taken(&taken));
    catalog.remove(initech.id).await.unwrap();
    until(&deployment, "initech", "404").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_expires_by_the_clock() {
    let deployment = Deployment::start().await;
    let mut trial = NewTenant::new("trial".parse().unwrap());
    trial.expires_at = Some(SystemTime::now() + Duration::from_secs(3));
    deployment.tenancy.catalog().create(trial).await.unwrap();
    until(&deployment, "trial", "200").await;
    until(&deployment, "trial", "410").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_are_served_while_the_catalog_is_away() {
    let deployment = Deployment::start().await;
    let (file, aside) = (deployment.folder.join("tenantry.db"), deployment.folder.join("aside.db"));
    fs::rename(&file, &aside).unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(status(&deployment, "acme").await, "200");
    assert_eq!(status(&deployment, "globex").await, "200", "never visited before");
    assert_eq!(status(&deployment, "nobody").await, "404");
    fs::rename(&aside, &file).unwrap();
}

#[tokio::test]
async fn a_catalog_that_cannot_be_used_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenantry.db");
    fs::write(&file, "this is no database, but it is long enough to be taken for one at first sight").unwrap();
    let error = Tenancy::with(config(folder.path())).await.unwrap_err();
    assert!(matches!(error, OpenError::Catalog(_)), "{error:?}");
    assert!(error.to_string().contains("tenantry.db"), "{error}");

    let nowhere = Tenancy::with(config(&folder.path().join("no/such/folder"))).await.unwrap_err();
    assert!(matches!(nowhere, OpenError::Catalog(_)), "{nowhere:?}");

    let missing = Tenancy::open(folder.path().join("tenantry.toml")).await.unwrap_err();
    assert!(matches!(missing, OpenError::Config(_)), "{missing:?}");
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(Tenancy::with(config(folder.path())).await.unwrap());
    let key = folder.path().join("tenantry.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600, "made on first start");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Tenancy::with(config(folder.path())).await.unwrap_err();
    assert!(matches!(error, OpenError::KeyFile(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_rotated_with_an_overlap() {
    let deployment = Deployment::start().await;
    let browser = notes_suite::people::admin(&deployment.by_path("acme")).await.unwrap();
    let cookie = browser.cookie("notes_session").unwrap();
    let folder = deployment.folder.clone();
    let key = folder.join("tenantry.key");
    tenantry::MasterKeys::rotate_file(&key).unwrap();

    let is_let_in = async |tenancy: &Tenancy| {
        let databases = folder.clone();
        let app = tenancy.dispatch(move |scope| crate::deployment::notes(databases.clone(), scope.id()));
        let request = Request::get("/t/acme/notes")
            .header("cookie", format!("notes_session={}", cookie.value))
            .body(axum::body::Body::empty())
            .unwrap();
        tower::ServiceExt::oneshot(app, request).await.unwrap().status() == 200
    };
    assert!(is_let_in(&elsewhere(&deployment).await.unwrap()).await, "the old key still verifies");
    tenantry::MasterKeys::retire_file(&key).unwrap();
    assert!(!is_let_in(&elsewhere(&deployment).await.unwrap()).await, "now it does not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_tenants_application_is_closed() {
    let deployment = Deployment::start().await;
    let (closed, mut told) = tokio::sync::watch::channel(0);
    let closed = std::sync::Arc::new(closed);
    let app = deployment.tenancy.dispatch(move |_| {
        let closed = std::sync::Arc::clone(&closed);
        let app = App::new(axum::Router::new().route("/", axum::routing::get(|| async { "hello" })));
        std::future::ready(Ok::<_, std::io::Error>(app.on_close(move || {
            closed.send_modify(|count| *count += 1);
            std::future::ready(())
        })))
    });
    let request = Request::get("/t/acme/").body(axum::body::Body::empty()).unwrap();
    assert_eq!(tower::ServiceExt::oneshot(app, request).await.unwrap().status(), 200);
    let catalog = deployment.tenancy.catalog();
    let acme = catalog.by_slug(&"acme".parse().unwrap()).await.unwrap().unwrap().id;
    catalog.set_status(acme, Status::Suspended).await.unwrap();
    tokio::time::timeout(Duration::from_secs(2), told.wait_for(|count| *count == 1)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_finishes_does_not_hold_up_the_stop() {
    use tokio::io::AsyncWriteExt;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.instances.drain_timeout = Duration::from_millis(300);
    let tenancy = Tenancy::with(config).await.unwrap();
    let app = tenancy.wrap(axum::Router::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stuck = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    stuck.write_all(b"POST /t/acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Le").await.unwrap();
    let stop = tokio::time::sleep(Duration::from_millis(100));
    let stopped = tokio::time::timeout(Duration::from_secs(5), tenancy.serve(listener, app, stop));
    assert_eq!(stopped.await.unwrap().unwrap(), Stopped::CutOff);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stopped = tenancy.serve(listener, tenancy.wrap(axum::Router::new()), std::future::ready(())).await;
    assert_eq!(stopped.unwrap(), Stopped::Gracefully);
}
