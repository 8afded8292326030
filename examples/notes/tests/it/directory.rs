//! Signing in by a directory: on the server that `NOTES_TEST_LDAP` names, and on
//! one that is not there.

use std::env;
use std::net::TcpListener;

use notes::Ldap;
use notes_suite::people::{self, Account};
use notes_suite::{Browser, Method, Site, StatusCode};
use serde_json::json;

use crate::running::Running;

const VARIABLE: &str = "NOTES_TEST_LDAP";

const WRONG: &str = "The email address or the password is wrong.";

#[tokio::test]
async fn people_of_the_directory_get_an_account_the_first_time() {
    let running = Running::start_with_directory(server("acme")).await;
    people::admin(&running.site).await.unwrap();
    let ann = account("ann@acme.test", "ann at acme");
    for _ in 0..2 {
        let browser = signed_in(&running.site, &ann).await;
        let page = browser.page().unwrap();
        page.expect_text(".flash", "Hello, ann of acme.").unwrap();
        assert!(page.link("Settings").is_err(), "she administers");
    }
    // It is found whatever the case, and is one account.
    let mut browser = signed_in(&running.site, &account(" Ann@Acme.Test", "ann at acme")).await;
    let url = running.site.base.join("stats").unwrap();
    browser.get(&url).await.unwrap().expect_text("#total-users", "2").unwrap();
}

#[tokio::test]
async fn the_first_of_all_becomes_administrator_by_the_directory_too() {
    let running = Running::start_with_directory(server("acme")).await;
    let browser = signed_in(&running.site, &account("bob@acme.test", "bob at acme")).await;
    browser.page().unwrap().link("Settings").unwrap();
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let running = Running::start_with_directory(server("acme")).await;
    people::admin(&running.site).await.unwrap();
    // So that there is an account without a password.
    signed_in(&running.site, &account("ann@acme.test", "ann at acme")).await;
    for (email, password) in [
        ("ann@acme.test", "ann at globex"),
        ("ann@acme.test", ""),
        ("ann@globex.test", "ann at globex"),
        ("*", "ann at acme"),
        ("ann@*", "ann at acme"),
        ("x)(mail=ann@acme.test", "ann at acme"),
        // Two entries have it.
        ("twin@acme.test", "twin at acme"),
        ("", ""),
    ] {
        let browser = signed_in(&running.site, &account(email, password)).await;
        browser.page().unwrap().expect_text(".error", WRONG).unwrap();
    }
}

#[tokio::test]
async fn a_password_of_the_application_does_not_need_the_directory() {
    // Nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ldap = Ldap { url: format!("ldap://127.0.0.1:{port}"), base: "dc=acme".to_owned(), ..Ldap::default() };
    let running = Running::start_with_directory(ldap).await;
    let (_, member) = people::member(&running.site, "Local").await.unwrap();
    let browser = signed_in(&running.site, &member).await;
    assert!(people::is_signed_in(&browser).unwrap());
    let browser = signed_in(&running.site, &account("ann@acme.test", "ann at acme")).await;
    let page = browser.page().unwrap();
    page.expect_status(StatusCode::SERVICE_UNAVAILABLE).unwrap();
    assert!(page.source().contains("The directory cannot be asked who you are right now."), "{}", page.source());
    assert!(!page.source().contains("127.0.0.1"), "{}", page.source());
    assert_eq!(page.header("retry-after"), Some("10"));
    let input = json!({ "email": "ann@acme.test", "password": "ann at acme" });
    let answer = Browser::new(&running.site).unwrap().api(Method::POST, "api/login", Some(&input)).await.unwrap();
    answer.expect_status(StatusCode::SERVICE_UNAVAILABLE).unwrap();
    assert_eq!(answer.header("retry-after"), Some("10"));
}

#[tokio::test]
async fn an_account_under_somebody_elses_address_is_theirs_when_they_come() {
    let running = Running::start_with_directory(server("acme")).await;
    people::admin(&running.site).await.unwrap();
    let (ann, bob) = (account("ann@acme.test", "ann at acme"), account("bob@acme.test", "bob at acme"));
    let false_ann = Account { email: "Ann@acme.test".to_owned(), ..Account::unique("Mallory") };
    let mut attacker = Browser::new(&running.site).unwrap();
    people::sign_up(&mut attacker, &false_ann).await.unwrap();
    // Others come and go; the account is the attacker's for now.
    signed_in(&running.site, &bob).await;
    attacker.open().await.unwrap();
    assert!(people::is_signed_in(&attacker).unwrap());
    let mut second = signed_in(&running.site, &false_ann).await;
    assert!(people::is_signed_in(&second).unwrap());

    let mut browser = signed_in(&running.site, &ann).await;
    browser.page().unwrap().expect_text(".flash", "Hello, ann of acme.").unwrap();
    for attacker in [&mut attacker, &mut second] {
        attacker.open().await.unwrap();
        assert!(!people::is_signed_in(attacker).unwrap(), "the cookie still opens the account");
        let me = attacker.api(Method::GET, "api/me", None).await.unwrap();
        me.expect_status(StatusCode::UNAUTHORIZED).unwrap();
    }
    signed_in(&running.site, &false_ann).await.page().unwrap().expect_text(".error", WRONG).unwrap();
    people::sign_up(&mut attacker, &false_ann).await.unwrap();
    assert!(!people::is_signed_in(&attacker).unwrap(), "the address is taken");
    // Hers go on, from the first sign-in and the next.
    signed_in(&running.site, &ann).await;
    browser.open().await.unwrap();
    assert!(people::is_signed_in(&browser).unwrap());
}

/// A browser after somebody has tried to sign in.
async fn signed_in(site: &Site, account: &Account) -> Browser {
    let mut browser = Browser::new(site).unwrap();
    people::sign_in(&mut browser, account).await.unwrap();
    browser
}

fn account(email: &str, password: &str) -> Account {
    Account { email: email.to_owned(), password: password.to_owned(), ..Account::admin() }
}

/// The people of one company on the server.
fn server(company: &str) -> Ldap {
    let base = format!("dc={company},dc=test");
    let bind_dn = format!("cn=search,{base}");
    let url = env::var(VARIABLE).map_err(|_| format!("set {VARIABLE} to the URL of a server that speaks LDAP"));
    let url = url.unwrap();
    Ldap { url, base, bind_dn, bind_password: format!("search at {company}") }
}
