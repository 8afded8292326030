//! The converted application, each of whose tenants has people on a server that speaks LDAP: the one of scripts/slapd.

use notes_suite::{
    Browser, Site, StatusCode, check_all,
    people::{self, Account},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry::{directory::DirectorySettings, settings::SettingChange};

use crate::{deployment::Deployment, setup::scope};

const WRONG: &str = "The email address or the password is wrong.";

#[derive(Default, Serialize, Deserialize)]
struct Own {
    directory: DirectorySettings,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tenants_people_sign_in_with_their_own_passwords_alone() {
    let deployment = Deployment::start_shared().await;
    for slug in ["acme", "globex"] {
        people::admin(&deployment.by_path(slug)).await.unwrap();
        name_server(&deployment, slug).await;
    }
    for (slug, other) in [("acme", "globex"), ("globex", "acme")] {
        let site = deployment.by_path(slug);
        for user in ["ann".to_owned(), format!("ann@{slug}.test")] {
            let browser = sign_in(&site, &user, &format!("ann at {slug}")).await;
            browser.page().unwrap().expect_text(".flash", &format!("Hello, ann of {slug}.")).unwrap();
        }
        for (user, password) in [
            ("ann".to_owned(), format!("ann at {other}")),
            (format!("ann@{other}.test"), format!("ann at {other}")),
            (format!("only{other}"), format!("only{other} at {other}")),
            ("ann".to_owned(), String::new()),
        ] {
            let browser = sign_in(&site, &user, &password).await;
            browser.page().unwrap().expect_text(".error", WRONG).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_without_a_server_is_as_it_was_beside_one_that_has_one() {
    let deployment = Deployment::start_shared().await;
    let (acme, globex) = (deployment.by_path("acme"), deployment.by_path("globex"));
    people::admin(&acme).await.unwrap();
    name_server(&deployment, "acme").await;
    people::admin(&globex).await.unwrap();
    let browser = sign_in(&globex, "ann@acme.test", "ann at acme").await;
    browser.page().unwrap().expect_text(".error", WRONG).unwrap();
    // And accounts of the application go on where there is a server.
    check_all(&acme).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_said_and_is_its_own_tenants_alone() {
    let deployment = Deployment::start_shared().await;
    // Nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (acme, globex) = (deployment.by_path("acme"), deployment.by_path("globex"));
    for site in [&acme, &globex] {
        people::admin(site).await.unwrap();
    }
    name_server_at(&deployment, "acme", &format!("ldap://127.0.0.1:{port}")).await;
    name_server(&deployment, "globex").await;
    // The first is refused by the server, the second is told of that.
    for _ in 0..2 {
        let browser = sign_in(&acme, "ann@acme.test", "ann at acme").await;
        let page = browser.page().unwrap();
        page.expect_status(StatusCode::SERVICE_UNAVAILABLE).unwrap();
        assert!(page.source().contains("The directory cannot be asked who you are right now."), "{}", page.source());
        assert!(!page.source().contains("127.0.0.1"), "{}", page.source());
        assert!(page.header("retry-after").is_some());
    }
    let browser = sign_in(&globex, "ann@globex.test", "ann at globex").await;
    browser.page().unwrap().expect_text(".flash", "Hello, ann of globex.").unwrap();
    // Those of the application go on.
    people::member(&acme, "Local").await.unwrap();
    people::admin(&acme).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_under_somebody_elses_address_is_theirs_when_they_come_and_at_their_tenant_alone() {
    let deployment = Deployment::start_shared().await;
    let mallory = Account { email: "ann@acme.test".to_owned(), ..Account::unique("Mallory") };
    let mut browsers = Vec::new();
    for slug in ["acme", "globex"] {
        let site = deployment.by_path(slug);
        people::admin(&site).await.unwrap();
        let mut browser = Browser::new(&site).unwrap();
        people::sign_up(&mut browser, &mallory).await.unwrap();
        assert!(people::is_signed_in(&browser).unwrap());
        browsers.push(browser);
    }
    let acme = deployment.by_path("acme");
    name_server(&deployment, "acme").await;
    let browser = sign_in(&acme, "ann", "ann at acme").await;
    browser.page().unwrap().expect_text(".flash", "Hello, ann of acme.").unwrap();
    for (browser, is_open) in browsers.iter_mut().zip([false, true]) {
        browser.open().await.unwrap();
        assert_eq!(people::is_signed_in(browser).unwrap(), is_open);
    }
    let browser = sign_in(&acme, &mallory.email, &mallory.password).await;
    browser.page().unwrap().expect_text(".error", WRONG).unwrap();
    let browser = sign_in(&deployment.by_path("globex"), &mallory.email, &mallory.password).await;
    assert!(people::is_signed_in(&browser).unwrap());
}

/// Says in a tenant's settings where its people are.
async fn name_server(deployment: &Deployment, slug: &str) {
    let url = std::env::var("TENANTRY_TEST_SLAPD").expect("scripts/slapd with cargo nextest run …");
    name_server_at(deployment, slug, &url).await;
}

async fn name_server_at(deployment: &Deployment, slug: &str, url: &str) {
    let tenancy = &deployment.tenancy;
    let settings = tenancy.settings::<Own>().await.unwrap();
    let set =
        |name: &str, value| SettingChange { path: format!("directory.{name}").parse().unwrap(), value: Some(value) };
    let changes = vec![
        set("url", json!(url)),
        set("starttls", json!(false)),
        set("base_dn", json!(format!("dc={slug},dc=test"))),
        set("bind_dn", json!(format!("cn=search,dc={slug},dc=test"))),
        set("bind_password", json!(format!("search at {slug}"))),
        set("user_filter", json!("(|(uid={user})(mail={user}))")),
    ];
    let scope = scope(tenancy, slug);
    settings.change(tenancy.catalog(), &scope, changes).await.unwrap();
    tenancy.refresh().await.unwrap();
}

/// A browser after somebody has tried to sign in.
async fn sign_in(site: &Site, user: &str, password: &str) -> Browser {
    let account = Account { email: user.to_owned(), password: password.to_owned(), ..Account::admin() };
    let mut browser = Browser::new(site).unwrap();
    people::sign_in(&mut browser, &account).await.unwrap();
    browser
}
