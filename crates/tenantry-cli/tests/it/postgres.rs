//! The catalog in PostgreSQL: the same commands, on a server.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tenantry::{CatalogStore, FollowOptions, Mirror, OpenOptions, Status, config::Config};
use tenantry_test::server::TestDatabase;

use crate::Home;

/// A test that waits for commands must not be in the way of its runtime.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn tenants_are_looked_after() {
    let (home, runtime) = (Home::new(), runtime());
    let database = runtime.block_on(TestDatabase::new()).unwrap();
    home.write("tenantry.toml", &format!("[catalog]\nurl = \"{}\"", database.url()));
    let empty = "the database has no catalog in it; check the URL, or create a tenant to start anew";
    let place = without_password(database.url());
    home.check(
        "tenant list",
        &format!(
            "exit 21\n--- stderr\nerror[catalog_unavailable]: the catalog {place} is not available: {empty}\n\
             hint: catalog.url in tenantry.toml says where it is"
        ),
    );
    home.check("tenant create acme --alias shop", "exit 0\n--- stdout\ncreated acme, active, on the plan default");
    home.step("tenant suspend shop");
    home.step("tenant resume acme");
    home.step("tenant create globex --suspended");
    let list = home.run("tenant list --json");
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let tenants: Vec<_> = list["tenants"].as_array().unwrap().iter().map(|t| (&t["slug"], &t["status"])).collect();
    assert_eq!(
        format!("{tenants:?}"),
        r#"[(String("acme"), String("active")), (String("globex"), String("suspended"))]"#
    );
}

#[test]
fn a_running_process_sees_what_the_command_did_within_a_second() {
    let (home, runtime) = (Home::new(), runtime());
    let database = runtime.block_on(TestDatabase::new()).unwrap();
    // A poll that never comes: what is seen is told.
    home.write("tenantry.toml", &format!("[catalog]\nurl = \"{}\"\npoll = \"1h\"", database.url()));
    home.step("tenant create acme");
    let config = Config::load(home.path("tenantry.toml")).unwrap();
    let mirror = Arc::new(Mirror::new());
    let follower = runtime.block_on(async {
        let store = CatalogStore::open(&config.catalog, OpenOptions::must_exist()).await.unwrap();
        let options = FollowOptions::default().poll(config.catalog.poll);
        store.follow(Arc::clone(&mirror), options).await.unwrap()
    });
    let acme = || mirror.by_slug(&"acme".parse().unwrap()).unwrap();
    assert_eq!(acme().status, Status::Active);
    for (command, status) in [("suspend", Status::Suspended), ("resume", Status::Active)] {
        home.step(&format!("tenant {command} acme"));
        let done = Instant::now();
        while acme().status != status {
            assert!(done.elapsed() < Duration::from_secs(1), "{command} is not seen");
            thread::sleep(Duration::from_millis(5));
        }
    }
    runtime.block_on(follower.stop());
}

#[test]
fn no_password_is_shown() {
    let home = Home::new();
    home.write("tenantry.toml", "[catalog]\nurl = \"postgres://ann:hush@127.0.0.1:1/tenants?sslmode=disable\"");
    for line in ["config check", "config check --json", "tenant list", "tenant create acme --json"] {
        let shown = home.show(&home.run(line));
        assert!(!shown.contains("hush"), "{line}\n{shown}");
        assert!(shown.contains("postgres://ann@127.0.0.1:1/tenants"), "{line}\n{shown}");
    }
    home.check(
        "tenant list",
        "exit 21
--- stderr
error[catalog_unavailable]: the catalog postgres://ann@127.0.0.1:1/tenants is not available: the server is away; see whether it runs, and whether it is there that the URL says: error communicating with database: Connection refused (os error 111)
hint: catalog.url in tenantry.toml says where it is",
    );
}

/// The URL as it is shown.
fn without_password(url: &str) -> String {
    let (before, after) = url.split_once('@').unwrap();
    let (scheme_and_role, _) = before.rsplit_once(':').unwrap();
    format!("{scheme_and_role}@{}", after.split_once('?').map_or(after, |(place, _)| place))
}
