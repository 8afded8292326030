//! Signing in, as the configuration and the tenants' settings say.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry::{
    Code, OpenError, Refusal, Status, Tenancy, Unscoped,
    config::Config,
    directory::{Directory, DirectoryError, DirectorySettings, LocalUsers, Person},
    settings::{SettingChange, Settings},
    within,
};

use crate::setup::{register, scope};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    directory: DirectorySettings,
}

/// A configuration with passwords that are cheap to check.
fn config(folder: &Path, text: &str) -> Config {
    let cheap = format!("[directory]\nhash_memory_kib = 8\nhash_passes = 1\n{text}");
    Config::parse(&cheap, folder).unwrap()
}

async fn open(folder: &Path, text: &str) -> Tenancy {
    let tenancy = Tenancy::with(config(folder, text)).await.unwrap();
    register(&tenancy, &["acme", "globex"]).await;
    tenancy
}

async fn directory(tenancy: &Tenancy) -> (Settings<Own>, Directory) {
    let settings = tenancy.settings::<Own>().await.unwrap();
    let directory = tenancy.directory(settings.clone(), |own| &own.directory).await.unwrap();
    (settings, directory)
}

/// Gives both tenants an ann, each with a password of her own.
async fn fill(tenancy: &Tenancy, local: &LocalUsers) {
    for slug in ["acme", "globex"] {
        let users = local.of(scope(tenancy, slug).tenant(), Unscoped::because("a test fills the store"));
        users.add(Person::new("ann"), &format!("ann at {slug}")).await.unwrap();
    }
}

async fn signs_in(tenancy: &Tenancy, directory: &Directory, slug: &str, password: &str) -> bool {
    within(scope(tenancy, slug), directory.sign_in("ann", password)).await.unwrap().is_some()
}

/// The users as they are stored, whoever looks.
async fn stored(folder: &Path) -> Vec<String> {
    let url = format!("sqlite://{}", folder.join("users.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query_scalar("SELECT name || ' of ' || tenant FROM users ORDER BY tenant").fetch_all(&pool).await.unwrap()
}

#[tokio::test]
async fn each_tenants_people_sign_in_and_still_do_in_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), "").await;
    let (_, first) = directory(&tenancy).await;
    fill(&tenancy, first.local()).await;
    assert!(matches!(first.sign_in("ann", "ann at acme").await, Err(DirectoryError::NoScope(_))));
    let elsewhere = Tenancy::with(config(folder.path(), "")).await.unwrap();
    let (_, second) = directory(&elsewhere).await;
    for (tenancy, directory) in [(&tenancy, &first), (&elsewhere, &second)] {
        for (slug, other) in [("acme", "globex"), ("globex", "acme")] {
            assert!(signs_in(tenancy, directory, slug, &format!("ann at {slug}")).await);
            assert!(!signs_in(tenancy, directory, slug, &format!("ann at {other}")).await);
        }
    }
}

#[tokio::test]
async fn users_outlive_a_mark_and_a_catalog_that_does_not_know_their_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), "").await;
    let (_, directory) = directory(&tenancy).await;
    fill(&tenancy, directory.local()).await;
    let [acme, globex] = ["acme", "globex"].map(|slug| scope(&tenancy, slug).id());
    let before = stored(folder.path()).await;
    tenancy.catalog().set_status(globex, Status::Deleting).await.unwrap();
    tenancy.catalog().remove(acme).await.unwrap();
    tenancy.refresh().await.unwrap();
    tenancy.catalog().set_status(globex, Status::Active).await.unwrap();
    tenancy.refresh().await.unwrap();
    assert!(signs_in(&tenancy, &directory, "globex", "ann at globex").await);
    assert_eq!(stored(folder.path()).await, before);
}

#[tokio::test]
async fn limits_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), "users_max = 1").await;
    let local = tenancy.local_users().await.unwrap();
    fill(&tenancy, &local).await;
    let users = local.of(scope(&tenancy, "acme").tenant(), Unscoped::because("a test fills the store"));
    let full = users.add(Person::new("bob"), "hush").await.unwrap_err().to_string();
    assert_eq!(full, "tenant acme has as many users as directory.users_max allows, 1");
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_its_tenants_affair_alone() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), "").await;
    let (settings, directory) = directory(&tenancy).await;
    fill(&tenancy, directory.local()).await;
    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let set = |path: &str, value| SettingChange { path: path.parse().unwrap(), value: Some(value) };
    let changes = vec![
        set("directory.url", json!(format!("ldap://{closed}"))),
        set("directory.base_dn", json!("dc=acme")),
        set("directory.starttls", json!(false)),
    ];
    settings.change(tenancy.catalog(), &scope(&tenancy, "acme"), changes).await.unwrap();
    tenancy.refresh().await.unwrap();
    let refused = within(scope(&tenancy, "acme"), directory.sign_in("ann", "ann at acme")).await.unwrap_err();
    let expected = if cfg!(feature = "ldap") { Code::DirectoryUnavailable } else { Code::DirectoryMisconfigured };
    let refusal = Refusal::from(refused);
    assert_eq!(refusal.code(), expected, "{refusal:?}");
    assert!(!refusal.public().contains("127.0.0.1"), "{}", refusal.public());
    assert!(signs_in(&tenancy, &directory, "globex", "ann at globex").await);
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str, problem: &str| {
        let error = Config::parse(text, folder.path()).unwrap_err().to_string();
        assert!(error.contains(problem) && !error.contains("hush"), "{error}");
    };
    let own = "directory.path: it is the file of the catalog, of the jobs, or of the tenants' rows";
    for file in ["tenantry.db", "jobs.db", "shared.db"] {
        refused(&format!("directory.path = \"{file}\""), own);
    }
    refused("directory.hash_lanes = 256", "directory.hash_lanes: it has to be from 1 to 255");
    refused(
        "directory = { hash_lanes = 2, hash_memory_kib = 15 }",
        "directory.hash_memory_kib: it has to be at least 8",
    );
    refused("directory.hash_memory_kib = 1048577", "at most 1048576");
    refused("directory.hash_timeout = \"0s\"", "directory.hash_timeout: it has to be longer than nothing");
    refused("directory.url = \"ldap://ann:hush@host\"", "url has the scheme \"ldap\"");
    if cfg!(not(feature = "postgres")) {
        refused("directory.url = \"postgres://ann:hush@host/a\"", "build with the feature postgres");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), "path = \"nowhere/users.db\"").await;
    let error = tenancy.local_users().await.unwrap_err();
    assert!(matches!(&error, OpenError::Users(_)) && error.to_string().contains("nowhere/users.db"), "{error}");
}

/// On the server of scripts/slapd, through a door that can be watched.
#[cfg(feature = "ldap")]
#[tokio::test]
async fn the_connections_of_a_tenant_that_is_being_deleted_are_closed() {
    use std::sync::atomic::Ordering;

    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), "").await;
    let (settings, directory) = directory(&tenancy).await;
    let (port, open) =
        door(&std::env::var("TENANTRY_TEST_SLAPD").expect("scripts/slapd with cargo nextest run …")).await;
    let set = |path: &str, value| SettingChange { path: path.parse().unwrap(), value: Some(value) };
    let changes = vec![
        set("directory.url", json!(format!("ldap://127.0.0.1:{port}"))),
        set("directory.starttls", json!(false)),
        set("directory.base_dn", json!("dc=acme,dc=test")),
        set("directory.bind_dn", json!("cn=search,dc=acme,dc=test")),
        set("directory.bind_password", json!("search at acme")),
        set("directory.idle_ms", json!(3_600_000)),
    ];
    let acme = scope(&tenancy, "acme");
    settings.change(tenancy.catalog(), &acme, changes).await.unwrap();
    tenancy.refresh().await.unwrap();
    assert!(signs_in(&tenancy, &directory, "acme", "ann at acme").await);
    assert!(!signs_in(&tenancy, &directory, "acme", "ann at globex").await);
    assert_eq!(open.load(Ordering::SeqCst), 1, "it is kept");
    tenancy.catalog().set_status(acme.id(), Status::Deleting).await.unwrap();
    tenancy.refresh().await.unwrap();
    while open.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(within(acme, directory.sign_in("ann", "ann at acme")).await.is_err());
}

/// The port of a door to a server, and how many are in it.
#[cfg(feature = "ldap")]
async fn door(url: &str) -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, open) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
    let (behind, counted) = (url.replace("ldap://localhost", "127.0.0.1"), Arc::clone(&open));
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = tokio::net::TcpStream::connect(&behind).await.unwrap();
            let counted = Arc::clone(&counted);
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
                counted.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (port, open)
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn users_are_on_a_server_where_the_configuration_says_so() {
    let database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), &format!("url = \"{}\"", database.url())).await;
    let (_, directory) = directory(&tenancy).await;
    fill(&tenancy, directory.local()).await;
    assert!(signs_in(&tenancy, &directory, "acme", "ann at acme").await);
    assert!(!signs_in(&tenancy, &directory, "acme", "ann at globex").await);
    assert!(!folder.path().join("users.db").exists());
}
