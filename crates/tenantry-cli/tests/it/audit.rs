//! `tenantry audit`

use serde_json::{Value, json};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

use crate::Home;

fn entries(home: &Home, line: &str) -> Vec<Value> {
    home.document(line, 0)["entries"].as_array().unwrap().clone()
}

#[test]
fn every_change_is_there_with_its_reason() {
    let home = Home::new();
    home.step("tenant create acme");
    home.step("tenant create globex");
    home.step("tenant suspend acme --why unpaid");
    home.step("tenant rename acme initech");
    home.step("tenant delete globex --yes");
    home.step("tenant delete globex --forget --yes");
    let all = entries(&home, "audit");
    let said = |entry: &Value| json!([entry["verb"], entry["slug"], entry["why"]]);
    assert_eq!(
        all.iter().map(said).collect::<Vec<_>>(),
        [
            json!(["created", "acme", null]),
            json!(["created", "globex", null]),
            json!(["amended", "acme", "unpaid"]),
            json!(["amended", "acme", null]),
            json!(["amended", "globex", null]),
            json!(["removed", "globex", null]),
        ]
    );
    assert_eq!(all[2]["detail"], json!({ "status": ["active", "suspended"] }));
    assert!(all[2]["from"].as_str().unwrap().starts_with("the command line on "), "{}", all[2]);
    assert_eq!(entries(&home, "audit initech"), [all[0].clone(), all[2].clone(), all[3].clone()]);
    assert_eq!(entries(&home, "audit --limit 2"), all[4..]);
    let shown = home.show(&home.run("audit acme --limit 1"));
    assert!(shown.contains("amended") && shown.contains("aliases,slug"), "{shown}");
}

#[test]
fn what_an_administrator_does_without_a_scope_is_there() {
    let home = Home::new();
    home.write("tenantry.toml", "[directory]\nhash_memory_kib = 8\nhash_passes = 1\n");
    home.step("tenant create acme");
    home.run_with("user add acme ann --why ticket-7", "correct horse battery\n");
    home.step("tenant delete acme --yes");
    home.step("tenant delete acme --forget --yes");
    let all = entries(&home, "audit");
    let unscoped: Vec<_> = all.iter().filter(|entry| entry["verb"] == "unscoped").collect();
    let reasons: Vec<_> = unscoped.iter().map(|entry| entry["detail"]["reason"].clone()).collect();
    assert_eq!(reasons, ["an administrator looks after a tenant's users", "an administrator forgets a tenant"]);
    for entry in &unscoped {
        assert_eq!((&entry["tenant"], &entry["slug"]), (&all[0]["tenant"], &json!("acme")));
        assert_eq!((&entry["who"], &entry["from"]), (&all[0]["who"], &all[0]["from"]));
        assert!(entry["detail"]["place"].as_str().unwrap().contains(".rs:"), "{entry}");
    }
    assert_eq!(unscoped[0]["why"], "ticket-7");
    let shown = home.show(&home.run("audit"));
    assert!(shown.contains("an administrator looks after a tenant's users; ticket-7"), "{shown}");
    let doctor = home.show(&home.run("doctor"));
    assert!(doctor.contains("5 entries are what was written"), "{doctor}");
}

#[tokio::test]
async fn a_log_that_was_changed_is_noticed() {
    let home = Home::new();
    for slug in ["acme", "globex", "initech"] {
        home.step(&format!("tenant create {slug}"));
    }
    let checked = home.show(&home.run("audit --check"));
    assert!(checked.contains("3 entries are what was written"), "{checked}");
    // What somebody does who can write the file.
    let mut file = SqliteConnectOptions::new().filename(home.path("tenantry.db")).connect().await.unwrap();
    let tampered = "DROP TRIGGER audit_stays; UPDATE audit SET who = 'nobody' WHERE number = 2";
    sqlx::raw_sql(tampered).execute(&mut file).await.unwrap();
    home.check(
        "audit --check",
        "exit 1
--- stderr
error[audit_broken]: entry 2 of the audit log is missing or was changed after it was written, or one before it was",
    );
}
