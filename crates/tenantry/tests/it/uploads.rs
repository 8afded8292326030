//! Uploads over HTTP: a page of a script's, a link, and the neighbour who gets hold of it.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{Request, Response, StatusCode, header},
    response::IntoResponse,
    routing::{get, put},
};
use std::time::Duration;
use tenantry::{
    Keys, Purpose, Refusal, Tenancy,
    config::Config,
    uploads::{ObjectName, UploadError, Uploads},
};
use tower::ServiceExt;

use crate::setup::register;

const RESET: Purpose = Purpose::new("test reset link");
const HOUR: Duration = Duration::from_secs(3600);

/// A refusal as an application of this size shows it.
struct Refused(Refusal);

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        (self.0.status(), self.0.public().into_owned()).into_response()
    }
}

async fn upload(State(uploads): State<Uploads>, Path(name): Path<String>, body: Body) -> Result<String, Refused> {
    let name: ObjectName = name.parse().map_err(UploadError::from)?;
    uploads.put(&name, Some("text/html"), body.into_data_stream()).await?;
    Ok(uploads.link(&name, HOUR)?)
}

async fn download(State(uploads): State<Uploads>, Path(token): Path<String>) -> Result<Response<Body>, Refused> {
    let Some(download) = uploads.open_link(&token).await? else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let mut response = Response::builder();
    for (name, value) in download.stored.headers() {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from_stream(download)).unwrap())
}

async fn reset(State(keys): State<Keys>, Path(token): Path<String>) -> Result<Vec<u8>, Refused> {
    match &*token {
        "new" => Ok(keys.sign(RESET, b"user 1", HOUR)?.into_bytes()),
        token => Ok(keys.verify(RESET, token)?),
    }
}

async fn ask(
    app: &(impl tower::Service<Request<Body>, Response = Response<Body>, Error: std::fmt::Debug> + Clone),
    request: Request<Body>,
) -> (StatusCode, Response<()>, String) {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    (parts.status, Response::from_parts(parts, ()), text)
}

#[tokio::test]
async fn a_link_is_good_at_its_own_tenant_and_shows_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[plans.default]\nupload_bytes_max = 20\nbody_bytes_max = 15\n[resolve.path]\nunder = [\"/t\"]";
    let tenancy = Tenancy::with(Config::parse(text, folder.path()).unwrap()).await.unwrap();
    register(&tenancy, &["acme", "globex"]).await;
    let app = Router::new()
        .route("/files/{*name}", put(upload))
        .route("/link/{token}", get(download))
        .with_state(tenancy.uploads())
        .merge(Router::new().route("/reset/{token}", get(reset)).with_state(tenancy.keys()));
    let app = tenancy.wrap(app);
    let send = |path: &str, body: &'static str| Request::put(path).body(Body::from(body)).unwrap();
    let fetch = |path: String| Request::get(path).body(Body::empty()).unwrap();
    let (status, _, token) = ask(&app, send("/t/acme/files/a/page.html", "<script>")).await;
    assert_eq!(status, StatusCode::OK, "{token}");
    ask(&app, send("/t/globex/files/a/page.html", "of globex")).await;

    let (status, head, text) = ask(&app, fetch(format!("/t/acme/link/{token}"))).await;
    assert_eq!((status, &*text), (StatusCode::OK, "<script>"));
    assert_eq!(head.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"page.html\"");
    assert_eq!(head.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");

    let (status, _, text) = ask(&app, fetch(format!("/t/globex/link/{token}"))).await;
    assert_eq!((status, &*text), (StatusCode::FORBIDDEN, "the link is not valid any more."));
    let (status, _, text) = ask(&app, send("/t/acme/files/b", "thirteen more")).await;
    assert_eq!((status, &*text), (StatusCode::PAYLOAD_TOO_LARGE, "there is not enough room for this upload."));
    let pieces = futures_util::stream::iter(["a little", "too much"].map(Ok::<_, std::io::Error>));
    let large = Request::put("/t/globex/files/b").body(Body::from_stream(pieces)).unwrap();
    let (status, _, text) = ask(&app, large).await;
    assert_eq!((status, &*text), (StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than allowed."));
    let (status, _, text) = ask(&app, send("/t/acme/files/..%2f..%2f2%2fa", "x")).await;
    assert_eq!((status, &*text), (StatusCode::BAD_REQUEST, "a file cannot have this name."));

    let (_, _, token) = ask(&app, fetch("/t/acme/reset/new".to_owned())).await;
    let (_, _, user) = ask(&app, fetch(format!("/t/acme/reset/{token}"))).await;
    let (status, _, _) = ask(&app, fetch(format!("/t/globex/reset/{token}"))).await;
    let (as_link, _, _) = ask(&app, fetch(format!("/t/acme/link/{token}"))).await;
    assert_eq!((&*user, status, as_link), ("user 1", StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN));
    for tenant in tenancy.catalog().page(None, 10).await.unwrap() {
        assert!(folder.path().join("uploads").join(tenant.id.to_string()).is_dir(), "by ids, which do not change");
    }
}
