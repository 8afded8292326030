//! Links that let somebody into a tenant: each good once, and for one tenant.

use std::{fs, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{
        HeaderName, Request,
        header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE},
    },
    response::Redirect,
    routing::get,
};
use notes_suite::{
    Browser, StatusCode,
    people::{self, ADMIN_EMAIL, PASSWORD},
};
use tenantry::{
    Act, AuditFilter, CatalogStore, Code, OpenOptions, Slug, Status, Tenancy,
    config::Config,
    current,
    entrance::{ImpersonateError, Link, SignIn},
};
use tower::ServiceExt;

use crate::{
    deployment::{Deployment, config, raw},
    setup::register,
};

/// acme and globex, each with an account of the same name and password.
async fn start() -> Deployment {
    start_with(|_| {}).await
}

async fn start_with(change: impl FnOnce(&mut Config)) -> Deployment {
    let deployment = Deployment::start_shared_behind(change, async |_, front| front.entrance(sign_in())).await;
    with_accounts(deployment).await
}

async fn with_accounts(deployment: Deployment) -> Deployment {
    for slug in ["acme", "globex"] {
        people::admin(&deployment.by_path(slug)).await.unwrap();
    }
    deployment
}

fn sign_in() -> SignIn {
    SignIn::form("/login", [("email", ADMIN_EMAIL), ("password", PASSWORD)])
}

/// A link as the command line makes it.
async fn link_for(deployment: &Deployment, slug: &str, who: Option<&str>) -> Result<Link, ImpersonateError> {
    link_as(&config(&deployment.folder), slug, who).await
}

async fn link_as(config: &Config, slug: &str, who: Option<&str>) -> Result<Link, ImpersonateError> {
    let catalog = CatalogStore::open(&config.catalog, OpenOptions::must_exist()).await.unwrap();
    let slug: Slug = slug.parse().unwrap();
    config.impersonate(&catalog, &slug, who, &Act::of("ann", "the desk").because("a complaint")).await
}

async fn url(deployment: &Deployment, slug: &str) -> String {
    link_for(deployment, slug, None).await.unwrap().url
}

/// The status and the whole of an answer.
async fn present(deployment: &Deployment, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    let answer = raw(deployment.address, &request).await;
    (answer[9..12].to_owned(), answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_signs_in_once() {
    let deployment = start().await;
    let url = url(&deployment, "acme").await;
    assert!(url.starts_with("/t/acme/_enter?ticket="), "{url}");
    let whole = format!("http://{}{url}", deployment.address).parse().unwrap();
    let mut browser = Browser::new(&deployment.by_path("acme")).unwrap();
    let page = browser.get(&whole).await.unwrap();
    assert_eq!((page.status(), page.url().path()), (StatusCode::OK, "/t/acme/notes"));
    assert!(people::is_signed_in(&browser).unwrap());

    let mut other = Browser::new(&deployment.by_path("acme")).unwrap();
    let page = other.get(&whole).await.unwrap();
    page.expect_status(StatusCode::FORBIDDEN).unwrap();
    assert!(page.source().contains("the link is not valid any more"), "{}", page.source());
    assert!(other.cookies().is_empty());

    // What was got there is of no use elsewhere, where there is the same account.
    let cookie = browser.cookie("notes_session").unwrap();
    let mut elsewhere = Browser::new(&deployment.by_path("globex")).unwrap();
    elsewhere.send_raw_cookies(Some(&format!("notes_session={}", cookie.value)));
    elsewhere.open().await.unwrap();
    assert!(!people::is_signed_in(&elsewhere).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ends_of_a_link_are_in_the_audit_log() {
    let deployment = start().await;
    let url = url(&deployment, "acme").await;
    assert_eq!(present(&deployment, &url).await.0, "303");
    assert_eq!(present(&deployment, &url).await.0, "403");
    let config = config(&deployment.folder);
    let catalog = CatalogStore::open(&config.catalog, OpenOptions::must_exist()).await.unwrap();
    let entries = catalog.audit().entries(0, AuditFilter::All, 100).await.unwrap();
    let [.., offered, entered] = entries.as_slice() else { panic!("{entries:?}") };
    let slug: Slug = "acme".parse().unwrap();
    assert_eq!((offered.deed.verb.as_str(), offered.deed.slug.as_ref()), ("impersonation offered", Some(&slug)));
    assert_eq!(offered.act, Act::of("ann", "the desk").because("a complaint"));
    assert_eq!((entered.deed.verb.as_str(), entered.deed.slug.as_ref()), ("impersonated", Some(&slug)));
    assert_eq!(entered.act, Act::of("ann", "127.0.0.1"));
    assert_eq!(offered.deed.detail, entered.deed.detail, "the number of the link is in both");
    assert!(!url.contains(&entered.deed.detail[10..20]), "and cannot be read in the link");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_other_link_is_refused_and_says_nothing() {
    let deployment = start().await;
    let good = url(&deployment, "acme").await;
    let ticket = good.strip_prefix("/t/acme/_enter?ticket=").unwrap().to_owned();
    let (seal, body) = ticket.split_at(40);
    let mut tampered = body.to_owned();
    tampered.replace_range(20..21, if &body[20..21] == "A" { "B" } else { "A" });
    for (what, path) in [
        ("of another tenant", format!("/t/globex/_enter?ticket={ticket}")),
        ("changed", format!("/t/acme/_enter?ticket={seal}{tampered}")),
        ("cut", format!("/t/acme/_enter?ticket={}", &ticket[..ticket.len() - 1])),
        ("empty", "/t/acme/_enter?ticket=".to_owned()),
        ("none", "/t/acme/_enter".to_owned()),
        ("huge", format!("/t/acme/_enter?ticket={}", "x".repeat(5000))),
    ] {
        let (status, answer) = present(&deployment, &path).await;
        assert_eq!(status, "403", "{what}: {answer}");
        assert!(!answer.contains("acme") && !answer.contains("globex"), "{what}: {answer}");
        assert!(!answer.to_lowercase().contains("set-cookie"), "{what}: {answer}");
    }
    // None of it has used it up, nor has somebody who only asks what is there.
    let head = format!("HEAD {good} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(&raw(deployment.address, &head).await[9..12], "404", "the application has nothing there");
    assert_eq!(present(&deployment, &good).await.0, "303");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_whose_time_is_up_is_refused() {
    let deployment = start().await;
    let mut short = config(&deployment.folder);
    short.entrance.valid_for = Duration::from_millis(1);
    let link = link_as(&short, "acme", None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(present(&deployment, &link.url).await.0, "403");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_have_a_link_one_gets_in() {
    let deployment = start().await;
    let url = url(&deployment, "acme").await;
    let (deployment, url) = (&deployment, url.as_str());
    let answers = futures_util::future::join_all((0..8).map(|_| present(deployment, url))).await;
    let statuses: Vec<_> = answers.iter().map(|(status, _)| status.as_str()).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count("303"), count("403")), (1, 7), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_catalog_is_away_nobody_gets_in() {
    let deployment = start().await;
    let url = url(&deployment, "acme").await;
    let (file, aside) = (deployment.folder.join("tenantry.db"), deployment.folder.join("aside.db"));
    fs::rename(&file, &aside).unwrap();
    assert_eq!(present(&deployment, &url).await.0, "503");
    fs::rename(&aside, &file).unwrap();
    assert_eq!(present(&deployment, &url).await.0, "303");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_is_not_served_lets_nobody_in() {
    let deployment = start().await;
    let url = url(&deployment, "acme").await;
    let catalog = deployment.tenancy.catalog();
    let acme = catalog.by_slug(&"acme".parse().unwrap()).await.unwrap().unwrap().id;
    catalog.set_status(acme, Status::Suspended).await.unwrap();
    deployment.tenancy.refresh().await.unwrap();
    let (status, answer) = present(&deployment, &url).await;
    assert!(status == "403" && answer.contains("suspended"), "{answer}");
    match link_for(&deployment, "acme", None).await {
        Err(ImpersonateError::Refused(refusal)) => assert_eq!(refusal.code(), Code::TenantSuspended),
        other => panic!("{other:?}"),
    }
    let unknown = link_for(&deployment, "nobody", None).await;
    assert!(matches!(unknown, Err(ImpersonateError::Unknown { .. })), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_lets_nobody_in_is_said_to_be_so() {
    let deployment = start().await;
    let other = link_for(&deployment, "acme", Some("bob@example.org")).await.unwrap().url;
    let (status, answer) = present(&deployment, &other).await;
    assert!(status == "503" && answer.contains("entrance_failed"), "somebody else than the form has: {answer}");
    let same = link_for(&deployment, "acme", Some(ADMIN_EMAIL)).await.unwrap().url;
    assert_eq!(present(&deployment, &same).await.0, "303");

    let wrong = SignIn::form("/login", [("email", ADMIN_EMAIL), ("password", "a wrong one")]);
    let deployment = Deployment::start_shared_behind(|_| {}, async |_, front| front.entrance(wrong)).await;
    let deployment = with_accounts(deployment).await;
    let (status, answer) = present(&deployment, &url(&deployment, "acme").await).await;
    assert!(status == "503" && answer.contains("entrance_failed"), "{answer}");
    assert!(!answer.to_lowercase().contains("set-cookie"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_of_a_tenants_own_signs_in_as_well() {
    let deployment = Deployment::start_behind(|_| {}, |front| front.entrance(sign_in())).await;
    let deployment = with_accounts(deployment).await;
    let path = url(&deployment, "acme").await;
    let mut browser = Browser::new(&deployment.by_host("acme")).unwrap();
    // By host it is the same link, below the root.
    let path = path.strip_prefix("/t/acme").unwrap();
    let port = deployment.address.port();
    browser.get(&format!("http://acme.localhost:{port}{path}").parse().unwrap()).await.unwrap();
    assert!(people::is_signed_in(&browser).unwrap());
}

#[tokio::test]
async fn an_application_signs_in_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = Tenancy::with(config(folder.path())).await.unwrap();
    register(&tenancy, &["acme"]).await;
    let sign_in = SignIn::with(|scope, visitor| async move {
        assert_eq!(current().unwrap(), scope);
        let session = format!("session={}; Path=/", visitor.who().unwrap_or("nobody"));
        ([(SET_COOKIE, session)], Redirect::to("/home"))
    });
    let front = tenancy.wrap(Router::new().route("/", get(|| async {}))).entrance(sign_in);
    let url = link_as(&config(folder.path()), "acme", Some("bob")).await.unwrap().url;
    let answer = front.oneshot(Request::get(url).body(Body::empty()).unwrap()).await.unwrap();
    let header = |name: HeaderName| answer.headers().get(name).unwrap().to_str().unwrap();
    assert_eq!((answer.status(), header(LOCATION)), (StatusCode::SEE_OTHER, "/t/acme/home"));
    let cookie = header(SET_COOKIE);
    assert!(cookie.starts_with("session=t1.") && cookie.ends_with(".bob; Path=/t/acme"), "sealed and moved: {cookie}");
    assert_eq!((header(CACHE_CONTROL), header(REFERRER_POLICY)), ("no-store", "no-referrer"));
}
