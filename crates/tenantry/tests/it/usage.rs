//! What tenants use is kept hour by hour, and nobody's is anybody else's.

use std::{num::NonZeroU32, path::Path, time::Duration};

use axum::{Router, body::Body, extract::State, http::StatusCode, routing::post};
use http::Request;
use http_body_util::BodyExt;
use sqlx::Sqlite;
use tenantry::{
    Amounts, Count, Front, Hour, ScopedPool, Status, Step, Tenancy, TenantId,
    config::{Config, Place},
    control::Erasing,
    within,
};
use tower::ServiceExt;

use crate::setup::{config_in, migrator, register, scope};

fn config(folder: &Path) -> Config {
    let mut config = config_in(folder);
    config.lifecycle.settle = Duration::ZERO;
    // Most tenants are shown together.
    config.metrics.tenants_max = NonZeroU32::MIN;
    config
}

/// A process of the deployment.
struct Process {
    tenancy: Tenancy,
    front: Front<Router>,
    config: Config,
}

impl Process {
    async fn start(config: Config) -> Self {
        let tenancy = Tenancy::with(config.clone()).await.unwrap();
        let db = tenancy.sqlite();
        db.migrate(&migrator("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")).await.unwrap();
        let front = tenancy.wrap(Router::new().route("/notes", post(note)).with_state(db));
        Self { tenancy, front, config }
    }

    async fn send(&self, tenant: &str) {
        let request = Request::post("/notes").header("host", format!("{tenant}.localhost"));
        let response = self.front.clone().oneshot(request.body(Body::from("twelve bytes")).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.unwrap();
    }

    async fn kept(&self, tenant: TenantId) -> Option<Amounts> {
        let store = self.config.usage_store().await.unwrap();
        let mut kept = store.read(Some(tenant), Hour::new(0), Step::Whole).await.unwrap();
        kept.pop().map(|used| used.amounts)
    }
}

async fn note(State(db): State<ScopedPool<Sqlite>>, body: String) -> String {
    sqlx::query("INSERT INTO notes (text) VALUES (?), ('x')").bind(&body).execute(&db).await.unwrap();
    sqlx::query("SELECT * FROM notes LIMIT 2").fetch_all(&db).await.unwrap();
    body
}

#[tokio::test]
async fn processes_add_up_and_each_tenant_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Process::start(config(folder.path())).await, Process::start(config(folder.path())).await);
    register(&one.tenancy, &["acme", "globex", "hooli"]).await;
    other.tenancy.refresh().await.unwrap();
    let ids = ["acme", "globex", "hooli"].map(|slug| scope(&one.tenancy, slug).id());
    for (process, times) in [(&one, 2), (&other, 3)] {
        for _ in 0..times {
            process.send("acme").await;
        }
        process.send("globex").await;
        process.tenancy.flush_usage().await.unwrap();
        process.tenancy.flush_usage().await.unwrap();
    }
    let counts = |amounts: &Amounts| {
        let counts = [Count::Requests, Count::Statements, Count::RowsChanged, Count::RowsRead];
        let bytes = [Count::BytesReceived, Count::BytesSent];
        (counts.map(|count| amounts.get(count)), bytes.map(|count| amounts.get(count)))
    };
    let acme = one.kept(ids[0]).await.unwrap();
    assert_eq!(counts(&acme), ([5, 10, 10, 10], [60, 60]));
    for time in [Count::StatementNanos, Count::HandlingNanos, Count::RequestNanos] {
        assert!(acme.get(time) > 0, "{time:?}");
    }
    assert!(acme.get(Count::HandlingNanos) <= acme.get(Count::RequestNanos));
    assert_eq!(counts(&one.kept(ids[1]).await.unwrap()), ([2, 4, 4, 4], [24, 24]));
    assert_eq!(one.kept(ids[2]).await, None);
}

#[tokio::test]
async fn what_is_rolled_back_or_refused_is_no_row_and_a_job_and_a_file_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.jobs.place = tenantry::config::JobsPlace::Database(Place::File(folder.path().join("jobs.db")));
    config.uploads.place = tenantry::config::UploadsPlace::Folder(folder.path().join("uploads"));
    let process = Process::start(config).await;
    register(&process.tenancy, &["acme"]).await;
    let scope = scope(&process.tenancy, "acme");
    let queue = process.tenancy.jobs().await.unwrap().queue::<String>("digests");
    within(scope.clone(), async {
        queue.enqueue(&"now".to_owned()).await.unwrap();
        let body = futures_util::stream::iter([Ok::<_, std::io::Error>(axum::body::Bytes::from_static(b"12345"))]);
        process.tenancy.uploads().put(&"a.txt".parse().unwrap(), None, body).await.unwrap();
        sqlx::query("SELECT _tenant FROM notes").fetch_all(&process.tenancy.sqlite()).await.unwrap_err();
    })
    .await;
    process.tenancy.flush_usage().await.unwrap();
    let kept = process.kept(scope.id()).await.unwrap();
    let counts = [Count::JobsQueued, Count::BytesUploaded, Count::Refusals, Count::Requests];
    assert_eq!(counts.map(|count| kept.get(count)), [1, 5, 1, 0]);
}

#[tokio::test]
async fn a_server_writes_from_time_to_time_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut often = config(folder.path());
    often.usage.flush = Duration::from_millis(20);
    let process = Process::start(often).await;
    register(&process.tenancy, &["acme"]).await;
    let acme = scope(&process.tenancy, "acme").id();
    let serve = async |process: &Process, stop: tokio::sync::oneshot::Receiver<()>| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        process.tenancy.serve(listener, process.front.clone(), async { stop.await.unwrap() }).await.unwrap();
    };
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let watch = async {
        process.send("acme").await;
        while process.kept(acme).await.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.send(()).unwrap();
    };
    tokio::join!(serve(&process, stopped), watch);

    // Another one writes only at its end, and a third one knows what both had.
    let process = Process::start(config(folder.path())).await;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let work = async {
        process.send("acme").await;
        assert_eq!(process.kept(acme).await.unwrap().get(Count::Requests), 1);
        stop.send(()).unwrap();
    };
    tokio::join!(serve(&process, stopped), work);
    let third = Process::start(config(folder.path())).await;
    assert_eq!(third.kept(acme).await.unwrap().get(Count::Requests), 2);
}

#[tokio::test]
async fn what_a_tenant_has_used_is_erased_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(config(folder.path())).await;
    register(&process.tenancy, &["acme", "globex"]).await;
    let ids = ["acme", "globex"].map(|slug| scope(&process.tenancy, slug).id());
    for tenant in ["acme", "globex"] {
        process.send(tenant).await;
    }
    process.tenancy.flush_usage().await.unwrap();
    // What has come since is not written any more once the tenant is being deleted.
    process.send("acme").await;
    process.tenancy.catalog().set_status(ids[0], Status::Deleting).await.unwrap();
    process.tenancy.refresh().await.unwrap();
    let control = process.tenancy.control().await.unwrap();
    let erased = control.erase(&"acme".parse().unwrap(), Erasing::Now).await.unwrap();
    assert_eq!(erased.operation.verb, "erase");
    process.tenancy.flush_usage().await.unwrap();
    process.tenancy.refresh().await.unwrap();
    process.tenancy.flush_usage().await.unwrap();
    assert_eq!(process.kept(ids[0]).await, None);
    assert_eq!(process.kept(ids[1]).await.unwrap().get(Count::Requests), 1);
}

/// With the catalog on a server, what several machines write is in one place.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn with_the_catalog_on_a_server_it_is_kept_there() {
    let database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut acme = None;
    for folder in &folders {
        let text = format!("[catalog]\nurl = {:?}", database.url());
        let mut config = Config::parse(&text, folder.path()).unwrap();
        config.keys.file = folders[0].path().join("keys");
        let process = Process::start(config).await;
        if acme.is_none() {
            register(&process.tenancy, &["acme"]).await;
        }
        acme = Some(scope(&process.tenancy, "acme").id());
        process.send("acme").await;
        process.tenancy.flush_usage().await.unwrap();
        assert!(!folder.path().join("usage.db").exists());
    }
    let process =
        Process::start(Config::parse(&format!("[catalog]\nurl = {:?}", database.url()), folders[0].path()).unwrap());
    let process = process.await;
    assert_eq!(process.kept(acme.unwrap()).await.unwrap().get(Count::Requests), 2);
    let control = process.tenancy.control().await.unwrap();
    assert!(control.planes().iter().any(|plane| plane.name() == "usage"));
}
