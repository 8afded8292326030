//! One application for all tenants, within the scope of each request's tenant.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{Request, header::SET_COOKIE},
    response::Response,
    routing::get,
};
use http_body_util::BodyExt;
use tenantry::{Bounds, BoxError, Front, PerTenant, Tenancy, current, make_fn};
use tower::ServiceExt;

use crate::{deployment::config, setup::register};

/// Counts the visits of each tenant, and remembers the visitor by a cookie.
fn application() -> Router {
    let visits = PerTenant::new(
        make_fn(|_| std::future::ready(Ok::<_, BoxError>(Arc::new(AtomicU32::new(0))))),
        Bounds::default(),
    );
    let visit = move |request: Request<Body>| async move {
        let count = visits.current().await.unwrap().fetch_add(1, Ordering::Relaxed) + 1;
        let cookie = request.headers().get("cookie").map_or("nobody", |cookie| cookie.to_str().unwrap());
        let text = format!("{} {count} {cookie}", current().unwrap().slug());
        ([(SET_COOKIE, "visitor=ada; Path=/")], text)
    };
    Router::new().route("/", get(visit))
}

async fn deployment(folder: &tempfile::TempDir) -> (Tenancy, Front<Router>) {
    let tenancy = Tenancy::with(config(folder.path())).await.unwrap();
    register(&tenancy, &["acme", "globex"]).await;
    let front = tenancy.wrap(application());
    (tenancy, front)
}

async fn visit(front: &Front<Router>, path: &str, cookie: Option<&str>) -> Response {
    let request = Request::get(path);
    let request = cookie.map_or(Request::get(path), |cookie| request.header("cookie", cookie));
    front.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn each_tenant_has_resources_and_cookies_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (_tenancy, front) = deployment(&folder).await;
    assert_eq!(text(visit(&front, "/t/acme/", None).await).await, "acme 1 nobody");
    let response = visit(&front, "/t/acme/", None).await;
    let set = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert_eq!(text(response).await, "acme 2 nobody");
    assert_eq!(text(visit(&front, "/t/globex/", None).await).await, "globex 1 nobody");

    let (cookie, attributes) = set.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/t/acme");
    assert_eq!(text(visit(&front, "/t/acme/", Some(cookie)).await).await, "acme 3 visitor=ada");
    assert_eq!(text(visit(&front, "/t/globex/", Some(cookie)).await).await, "globex 2 nobody");
}
