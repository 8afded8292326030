//! Cookies of one tenant in the hands of another.

use std::convert::Infallible;

use axum::{Router, body::Body, routing::get as route};
use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{COOKIE, SET_COOKIE},
};
use proptest::prelude::*;
use tenantry_resource::MasterKeys;
use tenantry_tower::{AdmitLayer, FirstOf, Host, MountLayer, PathPrefix, ResolveLayer, SealLayer};
use tower::{Layer, ServiceBuilder};

use crate::world::{admission, ask, at_host, code, get, text};

type App = tower::util::BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Sets the cookies that `x-set` asks for, and answers with those that came in.
fn app() -> Router {
    Router::new().fallback(route(|headers: HeaderMap| async move {
        let set = headers.get_all("x-set").iter().map(|value| (SET_COOKIE, value.clone()));
        let set: HeaderMap = set.collect();
        let came: Vec<_> = headers.get_all(COOKIE).iter().map(|value| value.as_bytes().to_vec()).collect();
        (set, came.join(&b'|'))
    }))
}

fn sealed(keys: &MasterKeys) -> App {
    sealed_by(SealLayer::new(keys.clone()).unsealed(["csrf"]))
}

fn sealed_by(layer: SealLayer) -> App {
    let resolver = FirstOf::new().or(PathPrefix::new().under("/t").unwrap()).or(Host::new().under("example.com"));
    App::new(
        ServiceBuilder::new()
            .layer(ResolveLayer::new(resolver))
            .layer(AdmitLayer::new(admission()))
            .layer(MountLayer::new())
            .layer(layer)
            .service(app()),
    )
}

fn keys() -> MasterKeys {
    MasterKeys::parse("3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=").unwrap()
}

/// The `Set-Cookie` headers that the browser gets when a tenant's application sets `cookies`.
async fn set(service: &App, tenant: &str, cookies: &[&[u8]]) -> Vec<String> {
    let set = set_bytes(service, tenant, cookies).await;
    set.into_iter().map(|header| String::from_utf8(header).unwrap()).collect()
}

async fn set_bytes(service: &App, tenant: &str, cookies: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut request = at_host(&format!("{tenant}.example.com"), "/");
    for cookie in cookies {
        request.headers_mut().append("x-set", HeaderValue::from_bytes(cookie).unwrap());
    }
    let response = ask(service, request).await;
    response.headers().get_all(SET_COOKIE).iter().map(|value| value.as_bytes().to_vec()).collect()
}

/// The one cookie `name=value` that the browser keeps.
async fn kept(service: &App, tenant: &str, cookie: &str) -> String {
    let set = set(service, tenant, &[cookie.as_bytes()]).await.pop().unwrap();
    set.split(';').next().unwrap().to_owned()
}

/// What a tenant's application sees of the `Cookie` headers that a browser sends.
async fn seen(service: &App, tenant: &str, cookies: &[&[u8]]) -> Vec<u8> {
    let mut request = at_host(&format!("{tenant}.example.com"), "/");
    for cookie in cookies {
        request.headers_mut().append(COOKIE, HeaderValue::from_bytes(cookie).unwrap());
    }
    let body = ask(service, request).await.into_body();
    http_body_util::BodyExt::collect(body).await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn the_application_gets_back_what_it_set() {
    let service = sealed(&keys());
    for cookie in ["sid=1", "sid=", "sid=\"quoted\"", "sid=a=b=c", "__Host-sid=1"] {
        let kept = kept(&service, "acme", cookie).await;
        assert!(kept != cookie && kept.split('=').nth(1).unwrap().starts_with("t1."), "{kept}");
        assert_eq!(seen(&service, "acme", &[kept.as_bytes()]).await, cookie.as_bytes());
    }
}

#[tokio::test]
async fn no_other_cookie_gets_in() {
    let service = sealed(&keys());
    let sid = kept(&service, "acme", "sid=1").await;
    let value = sid.strip_prefix("sid=").unwrap();
    let foreign = kept(&service, "globex", "sid=1").await;
    let other_id = value.replacen(|c: char| c.is_ascii_alphanumeric() && c != 't' && c != '1', "~", 1);
    for forged in [
        foreign,
        "sid=1".to_owned(),
        "sid".to_owned(),
        format!("admin={value}"),
        format!("SID={value}"),
        format!("sid={}", &value[..value.len() - 1]),
        format!("sid={value}A"),
        format!("sid=\"{value}\""),
        format!("sid={other_id}"),
        format!("sid={}", value.replace("t1.", "t2.")),
        format!("={value}"),
    ] {
        let both = format!("{forged}; {sid}; csrf=x");
        assert_eq!(seen(&service, "acme", &[both.as_bytes()]).await, b"sid=1; csrf=x", "{forged}");
        assert_eq!(seen(&service, "acme", &[forged.as_bytes()]).await, b"", "no header at all: {forged}");
    }
    assert_eq!(seen(&service, "globex", &[sid.as_bytes()]).await, b"");
}

#[tokio::test]
async fn several_headers_become_one() {
    let service = sealed(&keys());
    let (a, b) = (kept(&service, "acme", "a=1").await, kept(&service, "acme", "b=2").await);
    let sent = [a.as_bytes(), b"x=\xff\xfe; csrf=\xfd", b.as_bytes(), b";;", b"\xff"];
    assert_eq!(seen(&service, "acme", &sent).await, b"a=1; csrf=\xfd; b=2");
}

#[tokio::test]
async fn attributes_are_kept_and_nameless_cookies_are_dropped() {
    let service = sealed_by(SealLayer::new(keys()).unsealed(["csrf"]));
    let cookies: [&[u8]; 6] =
        [b"a=1;Path=/x ; SameSite=Lax;;", b"nameless", b"=1; Path=/", b" ; a=1", b"csrf=1; Path=/", b" b = 2 ;Secure"];
    let set = set(&service, "acme", &cookies).await;
    let shown: Vec<_> = set.iter().map(|set| set.split_once(';').unwrap()).collect();
    assert_eq!(
        shown.iter().map(|(_, rest)| *rest).collect::<Vec<_>>(),
        ["Path=/x ; SameSite=Lax;;", " Path=/", "Secure"]
    );
    assert!(shown[0].0.starts_with("a=t1.") && shown[2].0.starts_with("b=t1."), "{shown:?}");
    assert_eq!(shown[1].0, "csrf=1");
}

#[tokio::test]
async fn a_large_cookie_is_sent_all_the_same() {
    let service = sealed(&keys());
    let cookie = format!("sid={}", "x".repeat(5000));
    let kept = kept(&service, "acme", &cookie).await;
    assert_eq!(seen(&service, "acme", &[kept.as_bytes()]).await, cookie.as_bytes());
}

#[tokio::test]
async fn only_so_many_cookies_are_tried() {
    let service = sealed_by(SealLayer::new(keys()).unsealed(["csrf"]).cookies_max(2));
    let sid = kept(&service, "acme", "sid=1").await;
    let check = async |cookies: &[&str], expected: &str| {
        let seen = seen(&service, "acme", &[cookies.join(";").as_bytes()]).await;
        assert_eq!(String::from_utf8(seen).unwrap(), expected, "{cookies:?}");
    };
    check(&["x=1", "y=2", "z=3", &sid], "sid=1").await;
    check(&["x=t1.1", &sid], "sid=1").await;
    check(&["x=t1.1", "y=t1.2", &sid], "").await;
    check(&["csrf=1", "csrf=2", "csrf=3", &sid], "csrf=1; csrf=2; csrf=3; sid=1").await;
}

#[tokio::test]
async fn a_new_key_seals_and_the_old_one_still_opens() {
    let new = "bA9AqZ1fI8lpbv0iP3CwF0OQy2yHmvO3d0rTj5JvJ9k=";
    let both = MasterKeys::parse(&format!("{new},3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=")).unwrap();
    let (old, both, new) = (sealed(&keys()), sealed(&both), sealed(&MasterKeys::parse(new).unwrap()));
    let old_cookie = kept(&old, "acme", "sid=1").await;
    let new_cookie = kept(&both, "acme", "sid=2").await;
    assert_eq!(seen(&both, "acme", &[old_cookie.as_bytes()]).await, b"sid=1");
    assert_eq!(seen(&new, "acme", &[new_cookie.as_bytes()]).await, b"sid=2");
    assert_eq!(seen(&new, "acme", &[old_cookie.as_bytes()]).await, b"");
    assert_eq!(seen(&old, "acme", &[new_cookie.as_bytes()]).await, b"");
}

#[tokio::test]
async fn without_a_scope_nothing_is_answered() {
    let response = ask(&SealLayer::new(keys()).layer(app()), get("/")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (500, "no_scope"));
    assert!(!text(response).await.1.contains("seal"));
}

#[tokio::test]
async fn sealing_and_mounting_agree_on_names() {
    let service = sealed(&keys());
    let mut request = at_host("a.example", "/t/acme/");
    request.headers_mut().insert("x-set", HeaderValue::from_static("__Host-sid=1; Path=/; Secure; Domain=a.example"));
    let response = ask(&service, request).await;
    let (cookie, attributes) = response.headers()[SET_COOKIE].to_str().unwrap().split_once(';').unwrap();
    assert!(cookie.starts_with("__Secure-Tenantry-__Host-sid=t1."), "{cookie}");
    assert_eq!(attributes, " Path=/t/acme; Secure");
    for (tenant, expected) in [("acme", "__Host-sid=1"), ("globex", "")] {
        let mut request = at_host("a.example", &format!("/t/{tenant}/"));
        request.headers_mut().insert(COOKIE, cookie.parse().unwrap());
        assert_eq!(text(ask(&service, request).await).await.1, expected, "{tenant}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_survives_and_any_forgery_is_dropped(
        name in "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}",
        value in prop::collection::vec((0x20..=0xff_u8).prop_filter("fits a cookie", |byte| !b";\x7f".contains(byte)), 0..40),
        forged in prop::collection::vec((0x20..=0xff_u8).prop_filter("fits a header", |byte| *byte != 0x7f), 0..100),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let service = sealed(&keys());
            let cookie = [name.as_bytes(), b"=", value.trim_ascii()].concat();
            let set = set_bytes(&service, "acme", &[&cookie]).await.pop().unwrap();
            if name != "csrf" {
                prop_assert_eq!(seen(&service, "acme", &[&set]).await, cookie);
                prop_assert_eq!(seen(&service, "globex", &[&set]).await, b"");
            }
            let passed = seen(&service, "acme", &[&forged]).await;
            prop_assert!(passed.is_empty() || passed.starts_with(b"csrf="));
            Ok(())
        })?;
    }
}
