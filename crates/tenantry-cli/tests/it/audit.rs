//! `tenantry audit`

use serde_json::{Value, json};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

use crate::Home;

fn entries(home: &Home, line: &str) -> Vec<Value> {
    let output = home.run(line);
    assert!(output.status.success(), "{}", home.show(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["entries"].as_array().unwrap().clone()
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
    let all = entries(&home, "audit --json");
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
    assert_eq!(entries(&home, "audit initech --json"), [all[0].clone(), all[2].clone(), all[3].clone()]);
    assert_eq!(entries(&home, "audit --limit 2 --json"), all[4..]);
    let shown = home.show(&home.run("audit acme --limit 1"));
    assert!(shown.contains("amended") && shown.contains("aliases,slug"), "{shown}");
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
