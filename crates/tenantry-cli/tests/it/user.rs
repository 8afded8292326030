//! `user`: the local users of tenants.

use std::process::Output;

use serde_json::json;

use crate::Home;

/// Two tenants, and passwords that are cheap to check.
fn home() -> Home {
    let home = Home::new();
    home.write("tenantry.toml", "[directory]\nhash_memory_kib = 8\nhash_passes = 1\nusers_max = 2\n");
    home.step("tenant create acme --alias shop");
    home.step("tenant create globex");
    home
}

/// Runs a command line that is told a password, and compares what comes back; the password is not in it.
#[track_caller]
fn told(home: &Home, line: &str, password: &str, expected: &str) {
    let shown = home.show(&home.run_with(line, password));
    assert_eq!(shown.trim(), expected.trim(), "tenantry {line}");
    assert!(!shown.contains(password.trim()));
}

/// Whether somebody signs in, as the application would see it.
fn signs_in(home: &Home, tenant: &str, name: &str, password: &str) -> bool {
    use tenantry::{Tenancy, Unscoped, config::Config};

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let tenancy = Tenancy::with(Config::load(home.path("tenantry.toml")).unwrap()).await.unwrap();
        let tenant = tenancy.catalog().by_slug(&tenant.parse().unwrap()).await.unwrap().unwrap();
        let users = tenancy.local_users().await.unwrap().of(&tenant, Unscoped::because("a test signs in"));
        users.sign_in(name, password).await.unwrap().is_some()
    })
}

#[test]
fn they_are_added_listed_changed_and_removed() {
    let home = home();
    let ann = "user add acme ann --display-name Ann --mail ann@acme.test --role writer --role admin --role writer";
    told(&home, ann, "hush at acme\n", "exit 0\n--- stdout\nadded ann to acme");
    told(&home, "user add globex ann", "hush at globex", "exit 0\n--- stdout\nadded ann to globex");
    told(&home, "user add shop bob", "hush at acme", "exit 0\n--- stdout\nadded bob to acme");
    home.check(
        "user list acme",
        "exit 0
--- stdout
NAME  DISPLAY NAME  MAIL           ROLES
ann   Ann           ann@acme.test  admin,writer
bob   bob",
    );
    home.check(
        "user list acme --limit 1",
        "exit 0
--- stdout
NAME  DISPLAY NAME  MAIL           ROLES
ann   Ann           ann@acme.test  admin,writer
--- stderr
hint: there are more; --after goes on, --limit shows more at once",
    );
    home.check("user list acme --after ann", "exit 0\n--- stdout\nNAME  DISPLAY NAME  MAIL  ROLES\nbob   bob");
    assert!(signs_in(&home, "acme", "ann", "hush at acme") && !signs_in(&home, "acme", "ann", "hush at globex"));

    told(&home, "user passwd acme ann", "hush anew\r\n", "exit 0\n--- stdout\nann of acme has another password");
    assert!(signs_in(&home, "acme", "ann", "hush anew") && !signs_in(&home, "acme", "ann", "hush at acme"));
    assert!(signs_in(&home, "globex", "ann", "hush at globex"), "she is somebody else");

    home.check("user roles acme ann reader", "exit 0\n--- stdout\nann of acme has reader");
    home.check("user roles acme bob", "exit 0\n--- stdout\nbob of acme has no role");
    let listed = home.document("user list acme", 0);
    let ann = json!({ "name": "ann", "display_name": "Ann", "mail": "ann@acme.test", "roles": ["reader"] });
    let bob = json!({ "name": "bob", "display_name": "bob", "mail": null, "roles": [] });
    assert_eq!(listed, json!({ "users": [ann, bob], "more": false }));

    home.check("user remove acme ann", "exit 0\n--- stdout\nremoved ann from acme");
    assert!(!signs_in(&home, "acme", "ann", "hush anew") && signs_in(&home, "globex", "ann", "hush at globex"));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_changes() {
    let home = home();
    home.check(
        "user list acmee",
        "exit 39\n--- stderr\nerror[tenant_unknown]: no tenant is called acmee\nhint: did you mean acme?",
    );
    told(&home, "user add acme ann", "hush", "exit 0\n--- stdout\nadded ann to acme");
    told(
        &home,
        "user add acme ann --role admin",
        "hush",
        "exit 1\n--- stderr\nerror[user_exists]: tenant acme has a user ann already",
    );
    let refused = |output: Output, code: &str, said: &str| {
        let shown = home.show(&output);
        assert!(shown.contains(&format!("exit 1\n--- stderr\nerror[{code}]: ")) && shown.contains(said), "{shown}");
    };
    refused(home.run("user add acme bob"), "user_refused", "a password has 1 to 1024 bytes");
    refused(home.run_with("user add acme bob", "\n"), "user_refused", "a password has 1 to 1024 bytes");
    refused(home.run_with("user add acme bob", &"x".repeat(100_000)), "user_refused", "a password has 1 to 1024 bytes");
    refused(home.run("user passwd acme ann"), "user_refused", "a password has 1 to 1024 bytes");
    refused(home.run_with("user passwd acme bob", "hush"), "user_unknown", "tenant acme has no user bob");
    refused(home.run("user roles acme Ann admin"), "user_unknown", "`tenantry user list acme` shows");
    refused(home.run("user remove acme bob"), "user_unknown", "tenant acme has no user bob");
    assert!(signs_in(&home, "acme", "ann", "hush"));
    told(&home, "user add acme bob", "hush", "exit 0\n--- stdout\nadded bob to acme");
    refused(home.run_with("user add acme carol", "hush"), "users_full", "directory.users_max allows, 2");
    // A password is no argument.
    let typed = home.run("user passwd acme ann another");
    assert_eq!(typed.status.code(), Some(2), "{}", home.show(&typed));
    home.check("user list acme", "exit 0\n--- stdout\nNAME  DISPLAY NAME  MAIL  ROLES\nann   ann\nbob   bob");
}

#[test]
fn they_go_with_their_tenant() {
    let home = home();
    for (tenant, name) in [("acme", "ann"), ("acme", "bob"), ("globex", "ann")] {
        let added = home.run_with(&format!("user add {tenant} {name}"), "hush");
        assert!(added.status.success(), "{}", home.show(&added));
    }
    home.step("tenant delete acme --yes");
    home.check("user list acme", "exit 0\n--- stdout\nNAME  DISPLAY NAME  MAIL  ROLES\nann   ann\nbob   bob");
    home.check(
        "tenant delete acme --forget --yes",
        "exit 0
--- stdout
acme is forgotten with its 2 local users, and its names are free
--- stderr
hint: what it stored elsewhere, databases and files, is still there",
    );
    home.step("tenant create acme");
    home.check("user list acme", "exit 0\n--- stdout\nNAME  DISPLAY NAME  MAIL  ROLES");
    assert!(signs_in(&home, "globex", "ann", "hush"));
}

#[test]
fn they_stay_where_the_record_does() {
    let home = home();
    let added = home.run_with("user add acme ann", "hush");
    assert!(added.status.success(), "{}", home.show(&added));
    home.step("tenant create like-acme --from acme");
    home.step("tenant delete acme --yes");
    let shown = home.show(&home.run("tenant delete acme --forget --yes"));
    assert!(shown.contains("is the template of others"), "{shown}");
    home.check("user list acme", "exit 0\n--- stdout\nNAME  DISPLAY NAME  MAIL  ROLES\nann   ann");
}

#[test]
fn a_store_that_cannot_be_used_is_said_and_the_tenant_is_kept() {
    let home = home();
    home.step("tenant delete acme --yes");
    home.write("users.db", "this is no database, and never was one");
    for line in ["user list acme", "tenant delete acme --forget --yes"] {
        let shown = home.show(&home.run(line));
        assert!(shown.starts_with("exit 52\n--- stderr\nerror[directory_unavailable]: "), "{shown}");
        assert!(shown.contains("directory.path in tenantry.toml says where it is"), "{shown}");
    }
    home.step("tenant show acme");
}
