//! Who a request is for, and what those get that are for nobody.

use axum::{Router, routing::get as route};
use tenantry_tower::{
    AdmitLayer, AllAgree, CurrentScope, FirstOf, Header, Host, PathPrefix, ResolveLayer, TrustedProxies,
};
use tower::{Layer, ServiceBuilder};

use crate::world::{admission, ask, at_host, code, get, text};

fn host() -> Host {
    Host::new().under("example.com")
}

fn header() -> Header {
    Header::new("x-tenant".parse().unwrap(), TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]))
}

fn from_proxy(mut request: http::Request<axum::body::Body>, tenant: &str) -> http::Request<axum::body::Body> {
    let peer: std::net::SocketAddr = "10.0.0.1:1".parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    request.headers_mut().insert("x-tenant", tenant.parse().unwrap());
    request
}

fn who() -> Router {
    Router::new().fallback(|CurrentScope(scope): CurrentScope| async move { scope.slug().to_string() })
}

#[tokio::test]
async fn the_first_resolver_that_knows_decides() {
    let resolver = FirstOf::new().or(host()).or(PathPrefix::new().under("/t").unwrap()).or(header());
    let service =
        ServiceBuilder::new().layer(ResolveLayer::new(resolver)).layer(AdmitLayer::new(admission())).service(who());

    for (request, expected) in [
        (at_host("acme.example.com", "/"), "acme"),
        (at_host("acme.example.com", "/t/globex/"), "acme"),
        (at_host("elsewhere.org", "/t/globex/"), "globex"),
        (from_proxy(at_host("elsewhere.org", "/"), "globex"), "globex"),
    ] {
        assert_eq!(text(ask(&service, request).await).await.1, expected);
    }
    for (request, expected) in [
        (at_host("elsewhere.org", "/"), "tenant_missing"),
        (at_host("example.com", "/"), "tenant_missing"),
        (get("/"), "tenant_missing"),
        (at_host("nobody.example.com", "/"), "tenant_unknown"),
        (at_host("sleepy.example.com", "/"), "tenant_suspended"),
        (at_host("bad_name.example.com", "/t/acme/"), "request_malformed"),
        (at_host("elsewhere.org", "/t/%61cme/"), "request_malformed"),
        (from_proxy(at_host("elsewhere.org", "/"), "../acme"), "request_malformed"),
    ] {
        let what = format!("{:?} {}", request.headers(), request.uri());
        assert_eq!(code(&ask(&service, request).await), expected, "{what}");
    }
}

#[tokio::test]
async fn a_header_from_elsewhere_is_ignored() {
    let service = ServiceBuilder::new()
        .layer(ResolveLayer::new(FirstOf::new().or(header()).or(host())))
        .layer(AdmitLayer::new(admission()))
        .service(who());
    let mut request = at_host("acme.example.com", "/");
    request.headers_mut().insert("x-tenant", "globex".parse().unwrap());
    assert_eq!(text(ask(&service, request).await).await.1, "acme");
}

#[tokio::test]
async fn those_that_must_agree_do_or_the_request_is_misdirected() {
    let resolver = AllAgree::new().and(host()).and(header());
    let service =
        ServiceBuilder::new().layer(ResolveLayer::new(resolver)).layer(AdmitLayer::new(admission())).service(who());

    let agreeing = from_proxy(at_host("acme.example.com", "/"), "acme");
    assert_eq!(text(ask(&service, agreeing).await).await.1, "acme");
    assert_eq!(text(ask(&service, at_host("acme.example.com", "/")).await).await.1, "acme");

    let response = ask(&service, from_proxy(at_host("acme.example.com", "/"), "globex")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (421, "tenants_disagree"));
    let (_, body) = text(response).await;
    assert!(!body.contains("acme") && !body.contains("globex"), "{body}");
}

#[tokio::test]
async fn the_apex_gets_what_names_no_tenant_and_nothing_else() {
    let apex = Router::new().route("/", route(|| async { "apex" }));
    let service = ServiceBuilder::new()
        .layer(ResolveLayer::new(host()).apex(apex))
        .layer(AdmitLayer::new(admission()))
        .service(who());
    assert_eq!(text(ask(&service, at_host("example.com", "/")).await).await.1, "apex");
    assert_eq!(code(&ask(&service, at_host("nobody.example.com", "/")).await), "tenant_unknown");
    assert_eq!(code(&ask(&service, at_host("sleepy.example.com", "/")).await), "tenant_suspended");
}

#[tokio::test]
async fn layers_out_of_order_let_nothing_through() {
    use tenantry_tower::{EnterLayer, LimitLayer};
    assert_eq!(code(&ask(&AdmitLayer::new(admission()).layer(who()), get("/")).await), "tenant_missing");
    assert_eq!(code(&ask(&LimitLayer::new().layer(who()), get("/")).await), "no_scope");
    assert_eq!(code(&ask(&EnterLayer::new().layer(who()), get("/")).await), "no_scope");
    assert_eq!(code(&ask(&who(), get("/")).await), "no_scope");
}

#[tokio::test]
async fn a_connection_that_is_kept_open_sees_a_suspension_and_another_tenant() {
    let admission = admission();
    let mut connection = AdmitLayer::new(std::sync::Arc::clone(&admission)).layer(who());
    let mut ask = async |slug: &str| {
        let mut request = get("/");
        request.extensions_mut().insert(tenantry_core::Candidate::new(slug.parse().unwrap()));
        let response = tower::Service::call(&mut connection, request).await.unwrap();
        match code(&response) {
            "not refused" => text(response).await.1,
            code => code.to_owned(),
        }
    };
    for slug in ["acme", "acme", "globex", "acme"] {
        assert_eq!(ask(slug).await, slug);
    }
    let change = |status| {
        let mut acme = (*admission.mirror().by_slug(&"acme".parse().unwrap()).unwrap()).clone();
        acme.status = status;
        admission.mirror().apply(tenantry_core::Change::Upserted(acme));
    };
    change(tenantry_core::Status::Suspended);
    assert_eq!(ask("acme").await, "tenant_suspended");
    change(tenantry_core::Status::Active);
    assert_eq!(ask("acme").await, "acme");
}
