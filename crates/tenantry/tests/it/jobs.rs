//! Jobs that a web process queues, and a worker process runs.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use http_body_util::BodyExt;
use tenantry::{
    NewTenant, OpenError, Tenancy,
    config::{Config, Place},
    current,
    jobs::{
        JobQueue,
        apalis::{task::data::Data, worker::builder::WorkerBuilder},
    },
};
use tower::ServiceExt;

fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.catalog.place = Place::File(folder.join("tenants.db"));
    config.keys.file = folder.join("keys");
    config.jobs.place = Place::File(folder.join("jobs.db"));
    config.jobs.options.poll = Duration::from_millis(20);
    config
}

async fn queue_one(State(greetings): State<JobQueue<String>>, body: String) -> StatusCode {
    match greetings.enqueue(&body).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(error) => tenantry::Refusal::from(error).status(),
    }
}

type Ran = Arc<Mutex<Vec<(String, String)>>>;

async fn greet(whom: String, ran: Data<Ran>) -> Result<(), tenantry::NoScope> {
    let tenant = current()?.slug().to_string();
    ran.lock().unwrap().push((tenant, whom));
    Ok(())
}

#[tokio::test]
async fn a_job_runs_in_another_process_for_the_tenant_who_queued_it() {
    let folder = tempfile::tempdir().unwrap();
    let web = Tenancy::with(config(folder.path())).await.unwrap();
    for slug in ["acme", "globex"] {
        web.catalog().create(NewTenant::new(slug.parse().unwrap())).await.unwrap();
    }
    web.refresh().await.unwrap();
    let greetings = web.jobs().await.unwrap().queue::<String>("greetings");
    let front = web.wrap(Router::new().route("/greet", post(queue_one)).with_state(greetings.clone()));
    for tenant in ["acme", "globex"] {
        let request = http::Request::post("/greet").header("host", format!("{tenant}.localhost"));
        let response = front.clone().oneshot(request.body("world".into()).unwrap()).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, StatusCode::ACCEPTED, "{body:?}");
    }
    assert!(greetings.enqueue(&"nobody".to_owned()).await.is_err(), "outside a request there is no tenant");

    let elsewhere = Tenancy::with(config(folder.path())).await.unwrap();
    let queue = elsewhere.jobs().await.unwrap().queue::<String>("greetings");
    let ran = Ran::default();
    let worker = WorkerBuilder::new("greetings").backend(queue).data(Arc::clone(&ran)).build(greet);
    let seen = Arc::clone(&ran);
    let done = async move {
        while seen.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok::<(), std::io::Error>(())
    };
    worker.run_until(done).await.unwrap();
    let mut ran = ran.lock().unwrap().clone();
    ran.sort();
    assert_eq!(
        ran,
        [("acme", "world"), ("globex", "world")].map(|(tenant, whom)| (tenant.to_owned(), whom.to_owned()))
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.jobs.place = Place::File(folder.path().join("nowhere/jobs.db"));
    let tenancy = Tenancy::with(config.clone()).await.unwrap();
    let error = tenancy.jobs().await.unwrap_err();
    assert!(matches!(&error, OpenError::Jobs(error) if error.place.ends_with("nowhere/jobs.db")), "{error}");
    std::fs::write(folder.path().join("other.db"), "not a database at all, but long enough to be one").unwrap();
    config.jobs.place = Place::File(folder.path().join("other.db"));
    let tenancy = Tenancy::with(config.clone()).await.unwrap();
    assert!(tenancy.jobs().await.is_err());
    config.jobs.place = config.catalog.place.clone();
    let refused = Tenancy::with(config).await.unwrap_err();
    assert!(refused.to_string().contains("jobs.path: it is the file of the catalog"), "{refused}");
}
