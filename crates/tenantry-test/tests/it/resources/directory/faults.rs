//! Servers that hang, are killed, or were never there: an error for that tenant alone, and an end to it.

use std::time::Duration;

use serde_json::json;
use tenantry_core::{Code, Refusal};
use tenantry_resource::directory::DirectoryError;

use super::{
    ldap::Two,
    slapd::{Door, Slapd},
};

/// Both tenants, of which acme has a server of its own, and is impatient.
async fn acme_apart(own: &Slapd) -> Two {
    let two = Two::on(&Slapd::shared(), 10).await;
    two.set("acme", &own.settings("acme")).await;
    let times = [
        ("connect_timeout_ms", json!(500)),
        ("operation_timeout_ms", json!(500)),
        ("backoff_min_ms", json!(100)),
        ("backoff_max_ms", json!(200)),
    ];
    two.set("acme", &times).await;
    two.works("acme").await;
    two
}

/// Until the server is there again, and it was tried again.
async fn recovers(two: &Two) {
    let tries = async {
        while let Err(error) = two.sign_in("acme", "ann", "ann at acme").await {
            assert!(matches!(error, DirectoryError::Unavailable { .. }), "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), tries).await.expect("it is tried again");
    two.works("acme").await;
}

fn is_away(error: DirectoryError, limit: &str) {
    let text = error.to_string();
    assert!(text.contains("tenant acme") && text.contains("localhost:") && text.contains(limit), "{text}");
    assert!(!text.contains("ann at") && !text.contains("search at"), "{text}");
    let refusal = Refusal::from(error);
    assert_eq!(refusal.code(), Code::DirectoryUnavailable);
    assert_eq!(refusal.code().status().as_u16(), 503);
}

#[tokio::test]
async fn a_server_that_hangs_is_away_for_its_tenant_alone() {
    let own = Slapd::own();
    let two = acme_apart(&own).await;
    own.signal("-STOP");
    // On a connection that was there already, and then on none.
    is_away(two.fails("acme").await, "operation_timeout_ms");
    two.works("globex").await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    is_away(two.fails("acme").await, "connect_timeout_ms");
    two.works("globex").await;
    own.signal("-CONT");
    recovers(&two).await;
}

#[tokio::test]
async fn a_server_that_was_killed_is_away_until_it_is_back() {
    let own = Slapd::own();
    let two = acme_apart(&own).await;
    own.signal("-KILL");
    is_away(two.fails("acme").await, "");
    two.works("globex").await;
    own.start();
    recovers(&two).await;
}

#[tokio::test]
async fn a_connection_that_was_closed_is_replaced_without_a_word() {
    let own = Slapd::own();
    let two = acme_apart(&own).await;
    own.signal("-KILL");
    own.start();
    two.works("acme").await;
}

#[tokio::test]
async fn a_server_that_is_away_is_left_alone() {
    let (own, slapd) = (Slapd::own(), Slapd::shared());
    let two = acme_apart(&own).await;
    let door = Door::to(&own.url).await;
    own.signal("-STOP");
    let patience = [("url", json!(door.url)), ("backoff_min_ms", json!(600_000)), ("backoff_max_ms", json!(600_000))];
    two.set("acme", &patience).await;
    for _ in 0..20 {
        is_away(two.fails("acme").await, "next try in");
    }
    assert_eq!(door.all(), 1);
    // Whoever says where else it is need not wait.
    two.set("acme", &[("url", json!(slapd.url)), ("ca", json!(slapd.ca))]).await;
    two.works("acme").await;
    own.signal("-CONT");
}

#[tokio::test]
async fn what_is_no_server_is_no_panic() {
    let two = acme_apart(&Slapd::own()).await;
    two.set("acme", &[("starttls", json!(false))]).await;
    for says in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0; 64], b""] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        #[expect(clippy::disallowed_methods, reason = "it is no tenant's")]
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                tokio::io::AsyncWriteExt::write_all(&mut peer, says).await.ok();
            }
        });
        two.set("acme", &[("url", json!(format!("ldap://localhost:{port}")))]).await;
        is_away(two.fails("acme").await, "");
    }
    two.works("globex").await;
}
