//! The suite on an application that is found below a path it is not told about.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::map_response;
use axum::response::Response;
use notes_suite::{Browser, check_all};

use crate::running::Running;

const MOUNT: &str = "/some/mount/";

#[tokio::test]
async fn all_hold_where_links_are_rewritten() {
    let rewritten = |app| mount(app).layer(map_response(rewrite));
    let running = Running::start_within(MOUNT, rewritten).await;
    check_all(&running.site).await.unwrap();
}

#[tokio::test]
async fn links_that_leave_the_base_are_noticed() {
    let running = Running::start_within(MOUNT, mount).await;
    let mut browser = Browser::new(&running.site).unwrap();
    let login = running.site.base.join("login").unwrap();
    let error = browser.get(&login).await.unwrap_err();
    assert!(format!("{error:#}").contains("is not below"), "{error:#}");
}

#[tokio::test]
async fn redirects_that_leave_the_base_are_noticed() {
    let running = Running::start_within(MOUNT, mount).await;
    let mut browser = Browser::new(&running.site).unwrap();
    let error = browser.open().await.unwrap_err();
    assert!(format!("{error:#}").contains("is not below"), "{error:#}");
}

fn mount(app: Router) -> Router {
    Router::new().nest(MOUNT, app)
}

/// Does by simple means what a front end does that knows the mount.
async fn rewrite(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    replace(&mut parts.headers, LOCATION.as_str(), |location| location.replacen('/', MOUNT, 1));
    replace(&mut parts.headers, SET_COOKIE.as_str(), |cookie| cookie.replace("Path=/", &format!("Path={MOUNT}")));
    let kind = parts.headers.get(CONTENT_TYPE);
    if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/html")) {
        return Response::from_parts(parts, body);
    }
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut html = String::from_utf8(bytes.into()).unwrap();
    for attribute in ["href", "action"] {
        let root = format!("{attribute}=\"/");
        html = html.replace(&root, &format!("{attribute}=\"{MOUNT}"));
    }
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(html))
}

fn replace(headers: &mut HeaderMap, name: &'static str, change: impl Fn(&str) -> String) {
    let old: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    for value in old {
        let changed = change(value.to_str().unwrap());
        headers.append(name, changed.parse().unwrap());
    }
}
