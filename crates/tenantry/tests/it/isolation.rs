//! A session with one tenant is nothing to another, even though all instances sign with the same secret.

use notes_suite::{
    Account, Browser, Method, Site,
    checks::{digests, writing},
    people,
};
use sqlx::{Connection, SqliteConnection};

use crate::deployment::{Deployment, raw};

/// A browser signed in as the first user, and the session's cookie as `name=value`.
async fn signed_in(site: &Site) -> (Browser, String) {
    let browser = people::admin(site).await.unwrap();
    let session = browser.cookie("notes_session").unwrap();
    (browser, format!("{}={}", session.name, session.value))
}

/// The session's cookies of the first users of both tenants, between which nothing tells but whose they are: even the
/// passwords have the same hash, as where one instance was made by copying another.
async fn signed_in_alike(deployment: &Deployment) -> [String; 2] {
    let mut hash: Option<String> = None;
    for slug in ["acme", "globex"] {
        signed_in(&deployment.by_path(slug)).await;
        let tenant = deployment.tenancy.catalog().by_slug(&slug.parse().unwrap()).await.unwrap().unwrap();
        let file = deployment.folder.join(format!("notes-{}.db", tenant.id));
        let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        let alike = sqlx::query_scalar(
            "UPDATE users SET password_hash = coalesce($1, password_hash) WHERE id = 1 RETURNING password_hash",
        );
        hash = Some(alike.bind(hash).fetch_one(&mut database).await.unwrap());
    }
    // The password itself is the same, so that both sign in.
    let (_, acme) = signed_in(&deployment.by_path("acme")).await;
    let (_, globex) = signed_in(&deployment.by_path("globex")).await;
    [acme, globex]
}

/// Whether the page of notes is shown to whoever has this cookie.
async fn is_let_in(deployment: &Deployment, host: &str, path: &str, cookie: &str) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    let answer = raw(deployment.address, &request).await;
    let signed_out = answer.starts_with("HTTP/1.1 303") && answer.contains("/login");
    assert!(signed_out || answer.starts_with("HTTP/1.1 200"), "{answer}");
    !signed_out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_one_tenant_is_refused_by_the_other() {
    let deployment = Deployment::start().await;
    let [acme, globex] = signed_in_alike(&deployment).await;
    let host = deployment.address.to_string();

    assert!(is_let_in(&deployment, &host, "/t/acme/notes", &acme).await);
    assert!(is_let_in(&deployment, &host, "/t/globex/notes", &globex).await);
    // User 1 of acme is not user 1 of globex, by whichever way either is reached.
    assert!(!is_let_in(&deployment, &host, "/t/globex/notes", &acme).await);
    assert!(!is_let_in(&deployment, "globex.localhost", "/notes", &acme).await);
    assert!(!is_let_in(&deployment, &host, "/t/acme/notes", &globex).await);
    // The same tenant by its other address is the same tenant.
    assert!(is_let_in(&deployment, "acme.localhost", "/notes", &acme).await);
    // Nor does it help to send both, in either order, or to dress one up as something else.
    assert!(!is_let_in(&deployment, "globex.localhost", "/notes", &format!("{acme}; {acme}")).await);
    let renamed = acme.replacen("notes_session", "theme", 1);
    assert!(!is_let_in(&deployment, "globex.localhost", "/notes", &renamed).await);
    let tail = &acme[acme.len() - 1..];
    let flipped = format!("{}{}", &acme[..acme.len() - 1], if tail == "A" { "B" } else { "A" });
    assert!(!is_let_in(&deployment, "acme.localhost", "/notes", &flipped).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_seals_the_replay_works_so_the_seals_are_what_stops_it() {
    let deployment = Deployment::start_with(|config| config.cookies.seal = false).await;
    let [acme, _] = signed_in_alike(&deployment).await;
    assert!(is_let_in(&deployment, "globex.localhost", "/notes", &acme).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_person_is_two_people() {
    let deployment = Deployment::start().await;
    let (acme, globex) = (deployment.by_host("acme"), deployment.by_host("globex"));
    let person = Account::unique("Ada");
    people::admin(&acme).await.unwrap();
    people::admin(&globex).await.unwrap();
    let mut with_acme = Browser::new(&acme).unwrap();
    people::sign_up(&mut with_acme, &person).await.unwrap();
    assert!(people::is_signed_in(&with_acme).unwrap());

    let mut with_globex = Browser::new(&globex).unwrap();
    people::sign_in(&mut with_globex, &person).await.unwrap();
    assert!(!people::is_signed_in(&with_globex).unwrap(), "globex does not know her");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_sends_cookies_of_one_prefix_to_no_other() {
    let deployment = Deployment::start().await;
    let (browser, _) = signed_in(&deployment.by_path("acme")).await;
    for cookie in browser.cookies() {
        assert!(cookie.path.starts_with("/t/acme"), "{} is for {}", cookie.name, cookie.path);
        assert_eq!(cookie.domain, None, "{}", cookie.name);
    }
}

/// Two tenants whose notes, files and digests have the same numbers: what is in a cache, in a folder and in a queue is each
/// one's own.
async fn nothing_is_mixed_up(deployment: &Deployment) {
    let mut browsers = Vec::new();
    for slug in ["acme", "globex"] {
        let mut browser = people::admin(&deployment.by_path(slug)).await.unwrap();
        writing::note(&mut browser, &format!("Plan of {slug}"), "", "").await.unwrap();
        let form = browser.page().unwrap().form("#attach").unwrap();
        browser.send_file(&form, "file", "plan.txt", slug.as_bytes()).await.unwrap();
        browsers.push((slug, browser));
    }
    for (_, browser) in &mut browsers {
        digests::order(browser).await.unwrap();
    }
    for (slug, browser) in &mut browsers {
        digests::expect(browser, &format!("“Plan of {slug}” by Admin")).await.unwrap();
        let digests = browser.api(Method::GET, "api/digests", None).await.unwrap().json().unwrap();
        let texts: Vec<_> = digests.as_array().unwrap().iter().map(|digest| digest["text"].as_str().unwrap()).collect();
        assert_eq!(texts, [format!("“Plan of {slug}” by Admin")]);
        let stats = browser.api(Method::GET, "api/stats", None).await.unwrap().json().unwrap();
        assert_eq!((&stats["totals"]["notes"], &stats["longest"]), (&1.into(), &serde_json::json!([])));
        let file = browser.api(Method::GET, "attachments/1", None).await.unwrap();
        assert_eq!(file.source(), *slug);
    }
    // Closing waits for what works for the tenants behind the scenes.
    assert!(deployment.tenancy.shut_down().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_figures_and_digests_are_each_instances_own() {
    nothing_is_mixed_up(&Deployment::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_figures_and_digests_are_each_tenants_own_where_they_share_an_instance() {
    nothing_is_mixed_up(&Deployment::start_shared().await).await;
}
