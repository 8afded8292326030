//! What `/metrics` says of whom.

use axum::{Router, body::Body, extract::State, http::StatusCode, routing::post};
use http::Request;
use http_body_util::BodyExt;
use sqlx::Sqlite;
use tenantry::{ScopedPool, Status, Tenancy};
use tower::ServiceExt;

use crate::setup::{config_in, migrator, register};

async fn answer(
    service: impl tower::Service<Request<Body>, Response = axum::response::Response, Error = std::convert::Infallible>,
    request: Request<Body>,
) -> (StatusCode, String) {
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn note(State(db): State<ScopedPool<Sqlite>>, body: String) -> String {
    sqlx::query("INSERT INTO notes (text) VALUES (?)").bind(&body).execute(&db).await.unwrap();
    sqlx::query("ATTACH DATABASE ':memory:' AS other").execute(&db).await.unwrap_err();
    body
}

#[tokio::test]
async fn each_tenant_is_counted_by_itself_and_their_number_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config_in(folder.path());
    config.metrics.tenants_max = 2.try_into().unwrap();
    let tenancy = Tenancy::with(config).await.unwrap();
    register(&tenancy, &["acme", "globex", "initech", "hooli"]).await;
    let db = tenancy.sqlite();
    db.migrate(&migrator("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")).await.unwrap();
    let front = tenancy.wrap(Router::new().route("/notes", post(note)).with_state(db));
    let send = async |tenant: &str, text: &'static str| {
        let request = Request::post("/notes").header("host", format!("{tenant}.localhost"));
        answer(front.clone(), request.body(Body::from(text)).unwrap()).await.0
    };
    for (tenant, count) in [("acme", 2), ("globex", 1), ("initech", 3), ("hooli", 1)] {
        for _ in 0..count {
            assert_eq!(send(tenant, "twelve bytes").await, StatusCode::OK);
        }
    }
    assert_eq!(send("nobody", "").await, StatusCode::NOT_FOUND);
    let globex = tenancy.catalog().by_slug(&"globex".parse().unwrap()).await.unwrap().unwrap();
    tenancy.catalog().set_status(globex.id, Status::Suspended).await.unwrap();
    tenancy.refresh().await.unwrap();
    assert_eq!(send("globex", "").await, StatusCode::FORBIDDEN);

    let page = async || answer(tenancy.metrics(), Request::get("/metrics").body(Body::empty()).unwrap()).await.1;
    let text = page().await;
    for line in [
        "tenantry_requests_total{tenant=\"acme\"} 2",
        "tenantry_requests_total{tenant=\"globex\"} 1",
        "tenantry_requests_total{tenant=\"(others)\"} 4",
        "tenantry_requests_total{tenant=\"(none)\"} 0",
        "tenantry_statements_total{tenant=\"acme\"} 2",
        "tenantry_refusals_total{tenant=\"acme\"} 2",
        "tenantry_refusals_total{tenant=\"globex\"} 2",
        "tenantry_refusals_total{tenant=\"(none)\"} 1",
        "tenantry_received_bytes_total{tenant=\"acme\"} 24",
        "tenantry_sent_bytes_total{tenant=\"acme\"} 24",
        "tenantry_request_duration_seconds_count{tenant=\"acme\"} 2",
        "tenantry_request_duration_seconds_bucket{le=\"+Inf\",tenant=\"(others)\"} 4",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "no line {line} in\n{text}");
    }
    assert!(!text.contains("initech") && !text.contains("hooli"));
    tenancy.catalog().remove(globex.id).await.unwrap();
    tenancy.refresh().await.unwrap();
    assert!(!page().await.contains("globex"), "who is gone is not counted");
}
