//! Trials for the public: whoever asks gets a workspace of their own for a while.

mod confirm;
mod warm;

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::Response,
    routing::get,
};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use notes_suite::{
    Browser, Site,
    people::{self, ADMIN_EMAIL, PASSWORD},
};
use serde_json::Value;
use tenantry::{
    Front, NewTenant, Slug, Status, Tenancy, Tenant, config::Config, control::Former, entrance::SignIn,
    trial::remaining,
};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::{
    deployment::{Deployment, config, raw},
    setup::register,
};

fn sign_in() -> SignIn {
    SignIn::form("/login", [("email", ADMIN_EMAIL), ("password", PASSWORD)])
}

fn with_template(config: &mut Config) {
    config.trial.template = Some("template".parse().unwrap());
}

/// A deployment with a template that has an account and a note, and the page to try it.
async fn start(change: impl FnOnce(&mut Config)) -> Deployment {
    let change = |config: &mut Config| {
        with_template(config);
        change(config);
    };
    let deployment = Deployment::start_shared_behind(change, offering).await;
    fill(&deployment).await;
    deployment
}

/// The front with the page to try it, and a template that has nothing yet.
async fn offering(tenancy: &Tenancy, front: Front<Router>) -> Front<Router> {
    register(tenancy, &["template"]).await;
    front.entrance(sign_in()).apex(tenancy.trials().unwrap().router())
}

async fn fill(deployment: &Deployment) {
    let mut browser = people::admin(&deployment.by_path("template")).await.unwrap();
    browser.click("New note").await.unwrap();
    browser.submit("#note", &[("title", "Welcome to your trial"), ("body", "Look around.")]).await.unwrap();
}

/// What is to be had by whoever asks as a program, and the whole of the answer.
async fn ask(deployment: &Deployment, headers: &str) -> (String, Value, String) {
    let request = format!(
        "POST /try HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Length: 0\r\n{headers}Connection: close\r\n\r\n"
    );
    let answer = raw(deployment.address, &request).await;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    (answer[9..12].to_owned(), serde_json::from_str(body).unwrap_or_default(), answer)
}

async fn status(deployment: &Deployment, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    raw(deployment.address, &request).await[9..12].to_owned()
}

/// The tenants that trials are made of: those that are tried, and those that were made ahead.
async fn made(tenancy: &Tenancy, prefix: &str) -> Vec<Tenant> {
    let mut tenants = tenancy.catalog().page(None, 1000).await.unwrap();
    tenants.retain(|tenant| tenant.slug.as_str().starts_with(prefix));
    tenants
}

/// Waits until something is so, as long as a test may take.
async fn until<T>(mut what: impl AsyncFnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = what().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn site(deployment: &Deployment) -> Site {
    Site::new(format!("http://{}/", deployment.address).parse().unwrap())
}

/// A browser in which somebody has pressed the button.
async fn trying(deployment: &Deployment) -> Browser {
    let mut browser = Browser::new(&site(deployment)).unwrap();
    browser.get(&format!("http://{}/try", deployment.address).parse().unwrap()).await.unwrap();
    browser.submit("form", &[]).await.unwrap();
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_presses_the_button_is_signed_in_to_a_workspace_of_their_own() {
    let deployment = start(|_| {}).await;
    let mut browser = trying(&deployment).await;
    let page = browser.page().unwrap();
    let path = page.url().path().to_owned();
    assert!(path.starts_with("/t/try-") && path.ends_with("/notes"), "{path}");
    assert!(page.source().contains("Welcome to your trial"), "{}", page.source());
    assert!(people::is_signed_in(&browser).unwrap());
    let left: u64 = browser.page().unwrap().header("tenantry-expires-in").unwrap().parse().unwrap();
    assert!(left > 86_000 && left <= 86_400, "{left}");
    assert!(browser.page().unwrap().header("tenantry-expires").unwrap().ends_with('Z'));

    // What is written there is nobody else's.
    browser.click("New note").await.unwrap();
    browser.submit("#note", &[("title", "Mine alone"), ("body", "")]).await.unwrap();
    let mut template = people::admin(&deployment.by_path("template")).await.unwrap();
    let page = template.open().await.unwrap();
    assert!(!page.source().contains("Mine alone") && page.header("tenantry-expires-in").is_none());
    let other = trying(&deployment).await;
    let page = other.page().unwrap();
    assert!(page.url().path() != path && !page.source().contains("Mine alone"), "{}", page.source());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_trial_has_signed_in_is_of_no_use_with_another() {
    let deployment = start(|_| {}).await;
    let (one, other) = (trying(&deployment).await, trying(&deployment).await);
    let cookie = |browser: &Browser| format!("notes_session={}", browser.cookie("notes_session").unwrap().value);
    for (cookie, at, signed_in) in
        [(cookie(&one), &one, true), (cookie(&one), &other, false), (cookie(&other), &one, false)]
    {
        let mut stranger = Browser::new(&site(&deployment)).unwrap();
        stranger.send_raw_cookies(Some(&cookie));
        stranger.get(at.page().unwrap().url()).await.unwrap();
        assert_eq!(people::is_signed_in(&stranger).unwrap(), signed_in);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_gets_the_link() {
    let deployment = start(|config| config.trial.ttl = Duration::from_secs(3600)).await;
    let (status, body, answer) = ask(&deployment, "").await;
    assert_eq!(status, "201", "{answer}");
    let (slug, url) = (body["slug"].as_str().unwrap(), body["url"].as_str().unwrap());
    assert!(url.starts_with(&format!("/t/{slug}/_enter?ticket=")), "{body}");
    assert_eq!(body["expires_in"], 3600);
    assert!(body["expires_at"].as_str().unwrap().ends_with('Z'), "{body}");
    assert_eq!(self::status(&deployment, url).await, "303");
    assert_eq!(self::status(&deployment, url).await, "403");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_ask_at_once_as_many_get_one_of_their_own_as_there_is_room_for() {
    let deployment = start(|config| {
        config.trial.capacity = 4.try_into().unwrap();
        config.trial.per_address = 100.try_into().unwrap();
    })
    .await;
    let answers = join_all((0..8).map(|_| ask(&deployment, ""))).await;
    let given: HashSet<_> = answers.iter().filter_map(|(_, body, _)| body["slug"].as_str()).collect();
    let refused: Vec<_> = answers.iter().filter(|(status, ..)| status == "503").collect();
    assert_eq!((given.len(), refused.len()), (4, 4), "{answers:?}");
    for (_, body, answer) in &refused {
        assert_eq!(body["error"]["code"], "trials_full");
        assert!(answer.contains("retry-after: "), "{answer}");
    }
    assert_eq!(made(&deployment.tenancy, "try-").await.len(), 4, "nothing is made for who is refused");

    let (_, _, answer) = ask(&deployment, "").await;
    let wait: u64 = answer.split_once("retry-after: ").unwrap().1.lines().next().unwrap().parse().unwrap();
    assert!(wait > 86_000 && wait <= 86_400, "when the first one ends: {wait}");
    let mut browser = Browser::new(&site(&deployment)).unwrap();
    browser.get(&format!("http://{}/try", deployment.address).parse().unwrap()).await.unwrap();
    let page = browser.submit("form", &[]).await.unwrap();
    page.expect_status(StatusCode::SERVICE_UNAVAILABLE).unwrap();
    assert!(page.source().contains("Please try again in 24 hours."), "{}", page.source());

    // A place is free when a trial ends.
    let slug: Slug = given.into_iter().next().unwrap().parse().unwrap();
    deployment.tenancy.control().await.unwrap().expire(&slug).await.unwrap();
    deployment.tenancy.refresh().await.unwrap();
    assert_eq!(ask(&deployment, "").await.0, "201");
    assert_eq!(ask(&deployment, "").await.0, "503");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_asks_too_often_has_to_wait() {
    let two = |config: &mut Config| config.trial.per_address = 2.try_into().unwrap();
    let deployment = start(two).await;
    for headers in ["", "X-Forwarded-For: 192.0.2.1\r\n"] {
        assert_eq!(ask(&deployment, headers).await.0, "201");
    }
    let (status, body, answer) = ask(&deployment, "X-Forwarded-For: 192.0.2.2\r\n").await;
    assert!(status == "429" && body["error"]["code"] == "trial_rate_limited", "nobody is believed: {answer}");
    assert!(answer.contains("retry-after: 36") || answer.contains("retry-after: 35"), "{answer}");
    assert_eq!(made(&deployment.tenancy, "try-").await.len(), 2);

    let deployment = start(|config| {
        two(config);
        config.proxies.trusted = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    for (client, expected) in [
        ("192.0.2.1", "201"),
        ("203.0.113.9, 192.0.2.1", "201"),
        ("203.0.113.8, 192.0.2.1", "429"),
        ("2001:db8::1", "201"),
        ("2001:db8::2", "201"),
        ("2001:db8::3", "429"),
        ("2001:db8:0:1::3", "201"),
    ] {
        assert_eq!(ask(&deployment, &format!("X-Forwarded-For: {client}\r\n")).await.0, expected, "{client}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_template_there_is_nothing_to_try() {
    let deployment = start(|_| {}).await;
    assert!(deployment.tenancy.trials().is_ok());
    let without = Tenancy::with(config(&deployment.folder)).await.unwrap();
    assert!(without.trials().unwrap_err().to_string().contains("trial.template"));

    // One that is gone, or is being changed, is not made from.
    let catalog = deployment.tenancy.catalog();
    let template = catalog.by_slug(&"template".parse().unwrap()).await.unwrap().unwrap().id;
    for (status, expected) in [(Status::Provisioning, "503"), (Status::Suspended, "201"), (Status::Deleting, "503")] {
        catalog.set_status(template, status).await.unwrap();
        deployment.tenancy.refresh().await.unwrap();
        let (got, body, answer) = ask(&deployment, "").await;
        assert_eq!(got, expected, "{status}: {answer}");
        if expected == "503" {
            assert!(body["error"]["code"] == "trial_unavailable" && !answer.contains("template"), "{answer}");
        }
    }
    assert_eq!(made(&deployment.tenancy, "try-").await.len(), 1);
    // Who got nothing is not counted: five may ask.
    catalog.set_status(template, Status::Active).await.unwrap();
    for expected in ["201", "201", "201", "201", "429"] {
        assert_eq!(ask(&deployment, "").await.0, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_when_a_trial_ends_is_answered_and_what_comes_later_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = Tenancy::with(config(folder.path())).await.unwrap();
    let mut new = NewTenant::new("trial".parse().unwrap());
    new.expires_at = Some(std::time::SystemTime::now() + Duration::from_secs(3600));
    tenancy.catalog().create(new).await.unwrap();
    tenancy.refresh().await.unwrap();
    let (begun, over) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (db, told) = (tenancy.sqlite(), (Arc::clone(&begun), Arc::clone(&over)));
    let slow = move || {
        let (db, (begun, over)) = (db.clone(), told.clone());
        async move {
            begun.notify_one();
            over.notified().await;
            let number = one(&db).await;
            format!("{number}, {}", remaining().unwrap())
        }
    };
    let front = tenancy.wrap(Router::new().route("/slow", get(slow)).route("/", get(|| async { "here" })));
    let request = |path: &str| Request::get(format!("/t/trial{path}")).body(Body::empty()).unwrap();
    let under_way = front.clone().oneshot(request("/slow"));
    let later = async {
        begun.notified().await;
        tenancy.control().await.unwrap().expire(&"trial".parse().unwrap()).await.unwrap();
        until(async || {
            let answer = front.clone().oneshot(request("/")).await.unwrap();
            (answer.status() == StatusCode::GONE).then_some(())
        })
        .await;
        over.notify_one();
    };
    let (answer, ()) = tokio::join!(under_way, later);
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key("tenantry-expires-in"));
    assert_eq!(text(answer).await, "1, 60 minutes");
    assert_eq!(front.oneshot(request("/slow")).await.unwrap().status(), StatusCode::GONE);
}

async fn one(db: &tenantry::ScopedPool<sqlx::Sqlite>) -> i64 {
    sqlx::query_scalar("SELECT 1").fetch_one(db).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_that_is_over_is_erased_and_a_customer_is_not() {
    let deployment = start(|config| {
        config.trial.keep = Duration::ZERO;
        config.lifecycle.sweep_every = Duration::from_millis(50);
    })
    .await;
    let mut slugs = Vec::new();
    for _ in 0..5 {
        let (_, body, answer) = ask(&deployment, "").await;
        slugs.push(body["slug"].as_str().unwrap_or_else(|| panic!("{answer}")).parse::<Slug>().unwrap());
    }
    let control = deployment.tenancy.control().await.unwrap();
    control.promote(&slugs[0], &"default".parse().unwrap()).await.unwrap();
    control.rename(&slugs[1], &"initech".parse().unwrap(), Former::Kept).await.unwrap();
    control.promote(&slugs[2], &"default".parse().unwrap()).await.unwrap();
    control.expire(&slugs[1]).await.unwrap();
    control.expire(&slugs[2]).await.unwrap();
    let catalog = deployment.tenancy.catalog();
    // When the second one is marked, all that were over before have been looked at.
    for ended in &slugs[3..] {
        control.expire(ended).await.unwrap();
        until(async || {
            let tenant = catalog.by_slug(ended).await.unwrap();
            tenant.is_none_or(|tenant| tenant.status == Status::Deleting).then_some(())
        })
        .await;
        assert_eq!(status(&deployment, &format!("/t/{ended}/")).await, "410");
    }
    let status_of = async |slug: &Slug| catalog.by_slug(slug).await.unwrap().unwrap().status_now();
    assert_eq!(status_of(&slugs[0]).await, Status::Active, "it has no end");
    assert_eq!(status_of(&slugs[1]).await, Status::Expired, "it has a name that somebody gave it");
    assert_eq!(status_of(&slugs[2]).await, Status::Expired, "a customer whose time is up keeps what it has");
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_it_is_the_same() {
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
    use tenantry::config::{Place, ServerUrl};

    let mut database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let role = database.role("app").await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", database.name(), role.name);
    admin.execute(AssertSqlSafe(grants)).await.unwrap();
    let change = |config: &mut Config| {
        with_template(config);
        config.catalog.place = Place::Server(ServerUrl::try_from(database.url().to_owned()).unwrap());
        config.trial.capacity = 2.try_into().unwrap();
    };
    {
        let deployment = Deployment::start_on_postgres_behind(&role.url, database.url(), change, offering).await;
        fill(&deployment).await;
        let browser = trying(&deployment).await;
        assert!(people::is_signed_in(&browser).unwrap());
        assert!(browser.page().unwrap().source().contains("Welcome to your trial"));
        let answers = join_all((0..3).map(|_| ask(&deployment, ""))).await;
        let mut statuses: Vec<_> = answers.iter().map(|(status, ..)| status.as_str()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, ["201", "503", "503"]);
        let url = answers.iter().find_map(|(_, body, _)| body["url"].as_str()).unwrap();
        let entered = join_all((0..4).map(|_| status(&deployment, url))).await;
        assert_eq!(entered.iter().filter(|status| *status == "303").count(), 1, "{entered:?}");
    }
}
