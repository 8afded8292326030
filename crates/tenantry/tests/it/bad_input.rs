//! What comes in crooked gets a clear answer that names no other tenant.

use crate::deployment::{Deployment, raw};

async fn get(deployment: &Deployment, host: &str, path: &str) -> String {
    raw(deployment.address, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
}

#[tokio::test]
async fn crooked_requests_are_answered_and_build_nothing() {
    let deployment = Deployment::start().await;
    for (host, path, expected) in [
        ("localhost", "/", "404"),
        ("localhost", "/notes", "404"),
        ("elsewhere.example", "/", "404"),
        ("nobody.localhost", "/", "404"),
        ("localhost", "/t/nobody/", "404"),
        ("localhost", "/t/", "404"),
        ("localhost", "/t//acme/", "400"),
        ("localhost", "/t/%61cme/", "400"),
        ("localhost", "/t/acme%2f..%2fglobex/", "400"),
        ("localhost", "/t/acme%252f/", "400"),
        ("localhost", "/t/acme/../globex/notes", "400"),
        ("localhost", "/t/acme/%2e%2e/globex/notes", "400"),
        ("localhost", "/t/acme/..%5cglobex", "400"),
        ("localhost", "/t/ACME/", "400"),
        ("localhost", "/t/'or'1'='1/", "400"),
        ("bad_name.localhost", "/", "400"),
        ("acme.localhost@globex.localhost", "/", "400"),
        ("localhost", "/t/acme", "307"),
    ] {
        let answer = get(&deployment, host, path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{host} {path}: {answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert!(!body.contains("acme") && !body.contains("globex"), "{host} {path}: {body}");
    }
    let built = std::fs::read_dir(&deployment.folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("notes-"));
    assert_eq!(built.count(), 0, "no application was built");
}

#[tokio::test]
async fn two_hosts_in_one_request_are_refused() {
    let deployment = Deployment::start().await;
    for head in [
        "GET / HTTP/1.1\r\nHost: acme.localhost\r\nHost: globex.localhost",
        "GET http://acme.localhost/ HTTP/1.1\r\nHost: globex.localhost",
    ] {
        let answer = raw(deployment.address, &format!("{head}\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_header_from_a_stranger_is_ignored_and_from_a_proxy_believed() {
    let header = |networks: &[&str]| {
        let trusted: Vec<_> = networks.iter().map(|network| network.parse().unwrap()).collect();
        move |config: &mut tenantry::config::Config| {
            config.resolve.header = Some(tenantry::config::HeaderSection::default());
            config.proxies.trusted = trusted;
        }
    };
    let request = "GET /login HTTP/1.1\r\nHost: acme.localhost\r\nX-Tenant: nobody\r\nConnection: close\r\n\r\n";

    let strangers = Deployment::start_with(header(&["192.0.2.0/24"])).await;
    let answer = raw(strangers.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let proxies = Deployment::start_with(header(&["127.0.0.0/8"])).await;
    let answer = raw(proxies.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn resolvers_that_must_agree_refuse_what_contradicts_itself() {
    let agree = |config: &mut tenantry::config::Config| config.resolve.mode = tenantry::config::ResolveMode::AllAgree;
    let deployment = Deployment::start_with(agree).await;
    let answer = get(&deployment, "acme.localhost", "/t/globex/login").await;
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    let answer = get(&deployment, "acme.localhost", "/t/acme/login").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
