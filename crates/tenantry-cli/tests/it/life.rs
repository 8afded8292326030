//! The life of a tenant from the command line: from a template, back to it, and its end.

use serde_json::json;

use crate::{Home, adopt::instance};

/// A deployment that waits for nobody: no server runs.
fn home() -> Home {
    let home = Home::new();
    home.write("tenantry.toml", "[lifecycle]\nsettle = \"1ms\"\n[directory]\nhash_memory_kib = 8\nhash_passes = 1\n");
    home.step("tenant create seed");
    home.step("tenant create other");
    for tenant in ["seed", "other"] {
        home.run_with(&format!("user add {tenant} ann"), "correct horse battery\n");
    }
    home
}

#[test]
fn a_training_tenant_is_reset() {
    let home = home();
    home.check("tenant create training --from seed", "exit 0\n--- stdout\ncreated training with 1 users");
    home.run_with("user add training bob", "correct horse battery\n");
    home.check(
        "tenant reset training",
        "exit 2
--- stderr
error[usage]: there is nobody to ask
hint: --yes goes on without a question",
    );
    home.check("tenant reset training --yes", "exit 0\n--- stdout\nreset training with 1 users");
    assert_eq!(users(&home, "training"), ["ann"]);
    assert_eq!(users(&home, "other"), ["ann"]);
    home.check(
        "tenant reset other --yes",
        "exit 30
--- stderr
error[request_malformed]: other has no template that it could be reset to
hint: `tenantry tenant create … --from other` makes a tenant that can be",
    );
}

#[test]
fn a_clone_goes_its_own_way() {
    let home = home();
    home.check("tenant clone seed copy", "exit 0\n--- stdout\ncreated copy with 1 users");
    home.run_with("user add copy bob", "correct horse battery\n");
    assert_eq!(users(&home, "copy"), ["ann", "bob"]);
    assert_eq!(users(&home, "seed"), ["ann"]);
    home.check(
        "tenant clone nobody copy2",
        "exit 39
--- stderr
error[tenant_unknown]: no tenant is called nobody
hint: `tenantry tenant list` shows the tenants there are",
    );
}

#[tokio::test]
async fn a_tenant_becomes_a_file_and_the_file_a_tenant() {
    let home = home();
    let early = home.run("tenant export seed seed.tnt");
    assert!(home.show(&early).contains("the shared database has no tables yet"), "{}", home.show(&early));
    // The first instance brings the tables.
    instance(&home.path("instance.db"), None, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)").await;
    home.step("adopt acme --from instance.db");
    home.check(
        "tenant export acme acme.tnt",
        "exit 0\n--- stdout\nexported acme with 2 rows of 1 tables and 0 uploads",
    );
    home.check("tenant import acme.tnt twin", "exit 0\n--- stdout\ncreated twin with 2 rows");
    home.check(
        "tenant export seed seed.tnt",
        "exit 0\n--- stdout\nexported seed with 0 rows of 1 tables and 0 uploads",
    );
    home.check("tenant inspect seed.tnt", "exit 0\n--- stdout\nwhole: seed with 0 rows of 1 tables and 0 uploads");
    home.check("tenant import seed.tnt copy --suspended", "exit 0\n--- stdout\ncreated copy with nothing");
    assert_eq!(home.document("tenant show copy", 0)["tenant"]["status"], "suspended");
    let archive = home.document("tenant inspect seed.tnt", 0);
    assert_eq!((&archive["tenant"], &archive["uploads"]), (&json!("seed"), &json!(0)));
    home.write("cut.tnt", "nothing of that kind");
    home.check(
        "tenant inspect cut.tnt",
        "exit 72
--- stderr
error[archive_invalid]: this is no archive of a tenant
hint: the reason says what is wrong with it; `tenantry tenant inspect <file>` looks at all of it",
    );
    let refused = home.run("tenant import cut.tnt other2");
    assert_eq!(refused.status.code(), Some(70), "{}", home.show(&refused));
    assert!(
        home.show(&refused).contains("everything is as it was before: this is no archive"),
        "{}",
        home.show(&refused)
    );
    home.check(
        "tenant import missing.tnt other2",
        "exit 1
--- stderr
error[io]: missing.tnt cannot be read: No such file or directory (os error 2)",
    );
    assert_eq!(home.run("tenant show other2").status.code(), Some(39), "nothing is left of it");
    let taken = home.run("tenant import seed.tnt seed");
    assert_eq!(taken.status.code(), Some(33), "{}", home.show(&taken));
}

#[test]
fn a_tenant_moves_and_is_told_where_it_is() {
    let home = home();
    let moved = home.run("tenant move seed dedicated");
    assert!(moved.status.success(), "{}", home.show(&moved));
    assert_eq!(home.document("tenant show seed", 0)["tenant"]["placement"], "dedicated");
    home.check(
        "tenant move seed dedicated",
        "exit 30
--- stderr
error[request_malformed]: seed has the placement dedicated already
hint: the client has to send it differently",
    );
    home.step("tenant move seed shared");
    let listed = home.document("operation list seed", 0);
    let verbs: Vec<_> = listed["operations"].as_array().unwrap().iter().map(|row| row["verb"].clone()).collect();
    assert_eq!(verbs[..2], [json!("move"), json!("move")]);
}

#[test]
fn an_erased_tenant_is_gone_and_its_operation_says_what_it_had() {
    let home = home();
    home.check(
        "tenant erase other --yes --now",
        "exit 30
--- stderr
error[request_malformed]: other is not marked as deleting, so it cannot be erased
hint: `tenantry tenant delete other` marks it",
    );
    home.step("tenant delete other --yes");
    let early = home.run("tenant erase other --yes");
    assert_eq!(early.status.code(), Some(34), "{}", home.show(&early));
    home.check(
        "tenant erase other --yes --now",
        "exit 0\n--- stdout\nother is erased: 1 users removed, and counted to be gone",
    );
    home.step("tenant show seed");
    let listed = home.document("operation list", 0);
    let operation = &listed["operations"][0];
    assert_eq!(
        (&operation["verb"], &operation["outcome"], &operation["tenant"]),
        (&json!("erase"), &json!("done"), &json!("other"))
    );
    let users = operation["amounts"].as_array().unwrap().iter().find(|amount| amount["plane"] == "users");
    assert_eq!(users.unwrap()["items"], 1);
    home.check("operation resume", "exit 0\n--- stdout\nnothing was abandoned");
    let id = operation["id"].as_i64().unwrap();
    let certificate = home.run(&format!("operation certificate {id}"));
    assert!(certificate.status.success(), "{}", home.show(&certificate));
    let text = String::from_utf8(certificate.stdout).unwrap();
    home.write("certificate.json", &text);
    assert!(home.show(&home.run("operation verify certificate.json")).contains("other was erased at"));
    home.write("changed.json", &text.replace("\"items\": 1", "\"items\": 2"));
    home.check(
        "operation verify changed.json",
        "exit 1
--- stderr
error[certificate_broken]: changed.json is no certificate of this deployment, or was changed",
    );
    let refused = home.run("operation certificate 4711");
    assert_eq!(refused.status.code(), Some(2), "{}", home.show(&refused));
    let doctor = home.run("doctor");
    assert!(home.show(&doctor).contains("entries are what was written"), "{}", home.show(&doctor));
    // Its name is free, and its successor has nothing of it.
    home.step("tenant create other");
    assert_eq!(self::users(&home, "other"), Vec::<String>::new());
}

fn users(home: &Home, tenant: &str) -> Vec<String> {
    let listed = home.document(&format!("user list {tenant}"), 0);
    listed["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}
