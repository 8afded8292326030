//! Jobs that a web process queues, and a worker process runs.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use http_body_util::BodyExt;
use tenantry::{
    OpenError, Tenancy,
    config::{Config, Place},
    current,
    jobs::{
        JobQueue,
        apalis::{task::data::Data, worker::builder::WorkerBuilder},
    },
};
use tower::ServiceExt;

use crate::setup::{config_in, register};

fn config(folder: &Path) -> Config {
    let mut config = config_in(folder);
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
    queued_here_and_run_elsewhere(config(folder.path())).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn and_so_it_does_on_redis() {
    let folder = tempfile::tempdir().unwrap();
    let url = std::env::var("TENANTRY_TEST_REDIS").expect("scripts/redis with cargo nextest run …");
    let prefix: String = folder.path().to_str().unwrap().chars().filter(char::is_ascii_alphanumeric).collect();
    let text = format!("[jobs]\nurl = \"{url}\"\nprefix = \"{prefix}\"\nbusy_timeout = \"30s\"");
    let mut config = config(folder.path());
    config.jobs = Config::parse(&text, folder.path()).unwrap().jobs;
    queued_here_and_run_elsewhere(config).await;
}

async fn queued_here_and_run_elsewhere(config: Config) {
    let web = Tenancy::with(config.clone()).await.unwrap();
    register(&web, &["acme", "globex"]).await;
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

    let elsewhere = Tenancy::with(config).await.unwrap();
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
    config.jobs.place = Place::File(folder.path().join("nowhere/jobs.db")).into();
    let tenancy = Tenancy::with(config.clone()).await.unwrap();
    let error = tenancy.jobs().await.unwrap_err();
    assert!(matches!(&error, OpenError::Jobs(error) if error.place.ends_with("nowhere/jobs.db")), "{error}");
    std::fs::write(folder.path().join("other.db"), "not a database at all, but long enough to be one").unwrap();
    config.jobs.place = Place::File(folder.path().join("other.db")).into();
    let tenancy = Tenancy::with(config.clone()).await.unwrap();
    assert!(tenancy.jobs().await.is_err());
    config.jobs.place = config.catalog.place.clone().into();
    let refused = Tenancy::with(config).await.unwrap_err();
    assert!(refused.to_string().contains("jobs.path: it is the file of the catalog"), "{refused}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_opened() {
    let refused = |text: &str, problem: &str| {
        let error = Config::parse(text, Path::new("")).unwrap_err().to_string();
        assert!(error.contains(problem) && !error.contains("hush"), "{error}");
    };
    refused("jobs.url = \"redis://ann:hush@ho st/0\"", "url is not like redis://user:password@host:6379/0");
    refused("jobs.url = \"mysql://ann:hush@host\"", "it is one of sqlite, postgres, redis");
    let error = Config::parse("catalog.url = \"redis://ann:hush@host/0\"", Path::new("")).unwrap_err().to_string();
    assert!(error.ends_with("it is one of sqlite, postgres"), "{error}");
    refused("jobs.url = \"redis://ann:hush@host/0\"\njobs.path = \"jobs.db\"", "keep one of them");
    refused("jobs.prefix = \"{a}\"", "jobs.prefix: it has 1 to 63 letters");
    refused("jobs.url = \"redis://ann:hush@host/0\"\njobs.busy_timeout = \"0s\"", "jobs.busy_timeout: on Redis");
    for (feature, is_there, url) in [
        ("postgres", cfg!(feature = "postgres"), "postgres://ann:hush@host/jobs"),
        ("redis", cfg!(feature = "redis"), "redis://ann:hush@host/0"),
        ("redis-tls", cfg!(feature = "redis-tls"), "rediss://ann:hush@host/0"),
    ] {
        let text = format!("jobs.url = \"{url}\"");
        if is_there {
            let config = Config::parse(&text, Path::new("")).unwrap();
            let shown = format!("{config:?} {}", config.to_toml());
            assert!(!shown.contains("hush") && shown.contains("ann@host"), "{shown}");
        } else {
            refused(&text, &format!("jobs.url: this build cannot go there; build with the feature {feature}"));
        }
    }
}
