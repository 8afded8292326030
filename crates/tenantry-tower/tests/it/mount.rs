//! An application that believes to have the host for itself, below a prefix.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, OriginalUri, Query},
    response::{IntoResponse, Redirect},
    routing::get as route,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, ETAG, HOST, LOCATION, SET_COOKIE},
};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use tenantry_core::Candidate;
use tenantry_tower::{
    AdmitLayer, FirstOf, Host, HtmlRewriting, MountLayer, PathPrefix, ResolveLayer, ScriptRoot, TrustedProxies,
};
use tower::{Layer, Service, ServiceBuilder};

use crate::world::{admission, ask, at_host, code, get, text};

/// Answers with what it knows of the request, or with the headers and the body that the query asks for.
fn app() -> Router {
    Router::new()
        .route("/login", route(|| async { ([(SET_COOKIE, "sid=1; Path=/; HttpOnly")], Redirect::to("/")) }))
        .route("/page", route(|| async { ([(CONTENT_TYPE, "text/html"), (ETAG, "\"1\"")], PAGE) }))
        .route("/answer", route(answer))
        .fallback(|root: ScriptRoot, OriginalUri(came): OriginalUri, request: Request<Body>| async move {
            let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (prefix, cookie) = (header("x-forwarded-prefix"), header("cookie"));
            format!("{} root={root} prefix={prefix:?} came={came} cookie={cookie:?}", request.uri())
        })
}

async fn answer(Query(headers): Query<Vec<(String, String)>>, request: Request<Body>) -> impl IntoResponse {
    let mut answer = HeaderMap::new();
    for (name, value) in headers {
        answer.append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    let encoded = request.headers().contains_key("accept-encoding");
    answer.insert("x-could-encode", HeaderValue::from_static(if encoded { "yes" } else { "no" }));
    (answer, PAGE)
}

const PAGE: &str = r#"<a href="/x">x</a>"#;
const MOVED_PAGE: &str = r#"<a href="/t/acme/x">x</a>"#;

type App = tower::util::BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

fn mounted(layer: MountLayer) -> App {
    let resolver = FirstOf::new().or(PathPrefix::new().under("/t").unwrap()).or(Host::new().under("example.com"));
    App::new(
        ServiceBuilder::new()
            .layer(ResolveLayer::new(resolver))
            .layer(AdmitLayer::new(admission()))
            .layer(layer)
            .service(app()),
    )
}

fn acme(path: &str) -> Request<Body> {
    at_host("a.example", &format!("/t/acme{path}"))
}

fn acme_answers(headers: &[(&str, &str)]) -> Request<Body> {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let query: Vec<_> = headers.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    acme(&format!("/answer?{}", query.join("&")))
}

#[tokio::test]
async fn the_application_sees_its_own_path() {
    let check = async |request: Request<Body>, expected: &str| {
        let uri = request.uri().to_string();
        assert_eq!(text(ask(&mounted(MountLayer::new()), request).await).await.1, expected, "{uri}");
    };
    check(
        acme("/notes?x=/1"),
        r#"/notes?x=/1 root=/t/acme prefix=Some("/t/acme") came=/t/acme/notes?x=/1 cookie=None"#,
    )
    .await;
    check(acme("/"), r#"/ root=/t/acme prefix=Some("/t/acme") came=/t/acme/ cookie=None"#).await;
    check(acme("//a"), r#"//a root=/t/acme prefix=Some("/t/acme") came=/t/acme//a cookie=None"#).await;
    check(
        Request::get("http://a.example:81/t/acme/a?b").body(Body::empty()).unwrap(),
        r#"http://a.example:81/a?b root=/t/acme prefix=Some("/t/acme") came=http://a.example:81/t/acme/a?b cookie=None"#,
    )
    .await;
    check(at_host("acme.example.com", "/notes"), "/notes root= prefix=None came=/notes cookie=None").await;
}

#[tokio::test]
async fn the_mount_itself_gets_a_slash() {
    for (path, expected) in [("", "/t/acme/"), ("?x=1", "/t/acme/?x=1"), ("?//evil", "/t/acme/?//evil")] {
        let response = ask(&mounted(MountLayer::new()), acme(path)).await;
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(response.headers()[LOCATION], expected);
    }
}

#[tokio::test]
async fn a_mount_that_does_not_fit_is_refused() {
    let service = MountLayer::new().layer(app());
    for (path, len) in [("/t/acme/x", 3), ("/t/acme", 8), ("/t/acme/", 8), ("//evil/x", 6), ("/t/../x", 5), ("*", 1)] {
        let mut request = at_host("a.example", path);
        request.extensions_mut().insert(Candidate::new("acme".parse().unwrap()).mounted(len));
        assert_eq!(code(&ask(&service, request).await), "request_malformed", "{path} {len}");
    }
}

#[tokio::test]
async fn a_prefix_is_believed_from_a_known_proxy_only() {
    let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
    let service = mounted(MountLayer::new().trusted_proxies(proxies));
    let check = async |peer: &str, host: &str, path: &str, prefixes: &[&str], expected: &str| {
        let mut request = at_host(host, path);
        for prefix in prefixes {
            request.headers_mut().append("x-forwarded-prefix", prefix.parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        let answer = text(ask(&service, request).await).await.1;
        assert_eq!(answer.split(" came=").next().unwrap(), expected, "{peer} {prefixes:?}");
    };
    let (known, stranger) = ("10.0.0.1:1", "11.0.0.1:1");
    let alone = r#"/x root=/t/acme prefix=Some("/t/acme")"#;
    let outer = r#"/x root=/o/t/acme prefix=Some("/o/t/acme")"#;
    check(known, "a.example", "/t/acme/x", &["/o"], outer).await;
    check(known, "a.example", "/t/acme/x", &["/o/"], outer).await;
    check(known, "a.example", "/t/acme/x", &["/"], alone).await;
    check(stranger, "a.example", "/t/acme/x", &["/o"], alone).await;
    for bad in ["o", "//o", "/o//p", "/o/..", "/%2e%2E", "/o;x", "/o\"", "/o, /p", "https://o", &"/o".repeat(200)] {
        check(known, "a.example", "/t/acme/x", &[bad], alone).await;
    }
    check(known, "a.example", "/t/acme/x", &["/o", "/p"], alone).await;
    check(known, "acme.example.com", "/x", &["/o"], r#"/x root=/o prefix=Some("/o")"#).await;
    check(stranger, "acme.example.com", "/x", &["/o"], "/x root= prefix=None").await;
}

#[tokio::test]
async fn headers_of_answers_move() {
    let check = async |name: &str, value: &str, expected: &str| {
        let response = ask(&mounted(MountLayer::new()), acme_answers(&[(name, value)])).await;
        assert_eq!(response.headers()[name].to_str().unwrap(), expected, "{name}: {value}");
    };
    check("location", "/x", "/t/acme/x").await;
    check("location", "x", "x").await;
    check("location", "/t/acme/x", "/t/acme/x").await;
    check("location", "/t/globex/x", "/t/acme/t/globex/x").await;
    check("location", "/../t/globex/x", "/t/acme/t/globex/x").await;
    check("location", "http://a.example/x", "http://a.example/t/acme/x").await;
    check("location", "https://b.example/x", "https://b.example/x").await;
    check("location", "//evil", "//evil").await;
    check("location", "/\\evil", "/\\evil").await;
    check("location", "/\t/evil", "/\t/evil").await;
    check("refresh", "0;url=/x", "0;url=/t/acme/x").await;
    check("link", "</x>; rel=next", "</t/acme/x>; rel=next").await;
    check("set-cookie", "a=1; Path=/", "a=1; Path=/t/acme").await;
    check("set-cookie", "a=1; domain = x", "a=1").await;
    check("set-cookie", "__Host-a=1; Path=/; Secure", "__Secure-Tenantry-__Host-a=1; Path=/t/acme; Secure").await;
}

#[tokio::test]
async fn without_a_mount_only_the_domain_of_cookies_goes() {
    let service = mounted(MountLayer::new());
    let query = "location=/x&set-cookie=__Host-a%3D1%3B%20Domain%3Dexample.com%3B%20Path%3D/&content-type=text/html";
    let response = ask(&service, at_host("acme.example.com", &format!("/answer?{query}"))).await;
    assert_eq!(response.headers()[LOCATION], "/x");
    assert_eq!(response.headers()[SET_COOKIE], "__Host-a=1; Path=/");
    assert_eq!(response.body().size_hint().exact(), u64::try_from(PAGE.len()).ok(), "the same body");
    assert_eq!(text(response).await.1, PAGE);
}

#[tokio::test]
async fn a_renamed_cookie_comes_back_under_its_name() {
    let mut request = acme("/");
    let cookies = "a=1; __Secure-Tenantry-__Host-b=2; __Host-c=3";
    request.headers_mut().insert(COOKIE, cookies.parse().unwrap());
    let answer = text(ask(&mounted(MountLayer::new()), request).await).await.1;
    assert!(answer.ends_with(r#"cookie=Some("a=1; __Host-b=2")"#), "{answer}");
}

#[tokio::test]
async fn pages_move_and_other_bodies_pass() {
    let check = async |layer: MountLayer, headers: &[(&str, &str)], expected: &str| {
        let response = ask(&mounted(layer), acme_answers(headers)).await;
        assert_eq!(text(response).await.1, expected, "{headers:?}");
    };
    check(MountLayer::new(), &[("content-type", "text/html; charset=utf-8")], MOVED_PAGE).await;
    check(MountLayer::new(), &[("content-type", "application/xhtml+xml")], MOVED_PAGE).await;
    check(MountLayer::new(), &[("content-type", "text/plain")], PAGE).await;
    check(MountLayer::new(), &[("content-type", "text/html; charset=utf-16le")], PAGE).await;
    check(MountLayer::new(), &[("content-type", "text/html"), ("content-encoding", "br")], PAGE).await;
    check(MountLayer::new(), &[("content-type", "text/html"), ("content-disposition", "attachment")], PAGE).await;
    check(MountLayer::new().rewrite_html(HtmlRewriting::Off), &[("content-type", "text/html")], PAGE).await;
}

#[tokio::test]
async fn a_moved_page_loses_what_is_only_true_of_the_original() {
    let headers = [
        ("content-type", "text/html"),
        ("etag", "\"1\""),
        ("accept-ranges", "bytes"),
        ("content-length", "18"),
        ("repr-digest", "sha-256=:x:"),
        ("x-other", "1"),
    ];
    for method in ["GET", "HEAD"] {
        let mut request = acme_answers(&headers);
        *request.method_mut() = method.parse().unwrap();
        request.headers_mut().insert("accept-encoding", HeaderValue::from_static("gzip"));
        let response = ask(&mounted(MountLayer::new()), request).await;
        let found = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(found("etag"), Some("W/\"1\""), "{method}");
        assert_eq!(found("x-other"), Some("1"));
        assert_eq!(found("x-could-encode"), Some("no"));
        for gone in ["content-length", "accept-ranges", "repr-digest"] {
            assert_eq!(found(gone), None, "{method} {gone}");
        }
    }
}

#[tokio::test]
async fn a_session_starts_and_goes_on_below_the_root() {
    let response = ask(&mounted(MountLayer::new()), acme("/login")).await;
    assert_eq!(response.headers()[LOCATION], "/t/acme/");
    assert_eq!(response.headers()[SET_COOKIE], "sid=1; Path=/t/acme; HttpOnly");
    let page = ask(&mounted(MountLayer::new()), acme("/page")).await;
    assert_eq!(text(page).await.1, MOVED_PAGE);
}

#[tokio::test]
async fn a_page_streams_and_its_trailers_follow() {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Infallible>>(4);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let app = tower::service_fn(move |_: Request<Body>| {
        let stream = tokio_stream::wrappers::ReceiverStream::new(receiver.lock().unwrap().take().unwrap());
        let mut response = Response::new(Body::new(StreamBody::new(stream)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let mut request = Request::get("/t/acme/x").header(HOST, "a.example").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Candidate::new("acme".parse().unwrap()).mounted(7));
    let mut body = MountLayer::new().layer(app).call(request).await.unwrap().into_body();

    for (sent, expected) in [("one <a hre", "one "), ("f=/x>two", "<a href=\"/t/acme/x\">two")] {
        sender.send(Ok(Frame::data(sent.into()))).await.unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), expected);
    }
    sender.send(Ok(Frame::data("<a".into()))).await.unwrap();
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("x-end"), HeaderValue::from_static("1"))]);
    sender.send(Ok(Frame::trailers(trailers.clone()))).await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "<a");
    assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap(), trailers);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_page_stays_an_error() {
    let app = Router::new().fallback(|| async {
        let pieces = [Ok("<a href=/x>"), Err(std::io::Error::other("gone"))];
        ([(CONTENT_TYPE, "text/html")], Body::from_stream(tokio_stream::iter(pieces)))
    });
    let mut request = at_host("a.example", "/t/acme/x");
    request.extensions_mut().insert(Candidate::new("acme".parse().unwrap()).mounted(7));
    let mut body = ask(&MountLayer::new().layer(app), request).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "<a href=\"/t/acme/x\">");
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn long_links_and_long_tags_take_no_longer_than_their_length() {
    // Quadratic work would take minutes here, and the test runner's patience is shorter than that.
    let dots = "/.".repeat(500_000);
    let names = "a ".repeat(500_000);
    let hrefs = "href ".repeat(200_000);
    for page in [
        format!("<a href=\"/x{dots}/y\">"),
        format!("<a {names} href=/x>"),
        format!("<a {hrefs} href=/x>"),
        format!("<meta http-equiv=refresh {}>", "content ".repeat(100_000)),
    ] {
        let app = Router::new().route("/", route(move || async move { axum::response::Html(page) }));
        let service = ServiceBuilder::new()
            .layer(ResolveLayer::new(PathPrefix::new().under("/t").unwrap()))
            .layer(AdmitLayer::new(admission()))
            .layer(MountLayer::new())
            .service(app);
        let (status, body) = text(ask(&service, get("/t/acme/")).await).await;
        assert_eq!(status, 200);
        assert!(body.starts_with('<'));
    }
}
