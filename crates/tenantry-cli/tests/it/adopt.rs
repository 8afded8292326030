//! `tenantry plan` and `tenantry adopt`

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, migrate::Migrator, sqlite::SqliteConnectOptions};

use crate::Home;

/// The migrations of the example application.
static NOTES: Migrator = sqlx::migrate!("../../examples/notes/migrations/sqlite");

pub(crate) async fn instance(file: &Path, migrator: Option<&Migrator>, script: &str) {
    let mut connection = SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await.unwrap();
    if let Some(migrator) = migrator {
        migrator.run(&mut connection).await.unwrap();
    }
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A database of the example application in use.
async fn notes(file: &Path, name: &str) {
    let script = format!(
        "INSERT INTO users (email, name, password_hash) VALUES ('ada@{name}', 'Ada', 'x');
         INSERT INTO notes (user_id, title) VALUES (1, '{name} one'), (1, '{name} two');
         INSERT INTO settings (id, site_title) VALUES (1, '{name}')"
    );
    instance(file, Some(&NOTES), &script).await;
}

#[tokio::test]
async fn three_instances_become_one_deployment() {
    let home = Home::new();
    for name in ["acme", "globex", "initech"] {
        notes(&home.path(name), name).await;
    }
    home.check(
        "adopt acme --from acme",
        "exit 0
--- stdout
acme has the 4 rows of acme, and is active
TABLE        ROWS  CHECKSUM
users        1     [sum]
notes        2     [sum]
tags         0     [sum]
note_tags    0     [sum]
comments     0     [sum]
settings     1     [sum]
attachments  0     [sum]
digests      0     [sum]
--- stderr
hint: the shared database had no schema, and has that of the instance now; new tenants begin without rows, since it cannot \
be told which of these came from migrations",
    );
    let adopted = home.document("adopt globex --from globex", 0);
    assert_eq!(
        (&adopted["rows"], &adopted["took_schema"], &adopted["already"]),
        (&4.into(), &false.into(), &false.into())
    );
    assert_eq!((&adopted["tenant"]["status"], &adopted["tenant"]["slug"]), (&"active".into(), &"globex".into()));
    home.step("tenant create initech --placement dedicated");
    let adopted = home.document("adopt initech --from initech", 0);
    assert_eq!((&adopted["rows"], &adopted["tenant"]["placement"]), (&4.into(), &"dedicated".into()));
    assert_eq!(home.document("adopt acme --from acme", 0)["already"], Value::Bool(true));
    for name in ["acme", "globex", "initech"] {
        home.write(
            "query.sql",
            "SELECT site_title, (SELECT max(title) FROM notes), (SELECT count(*) FROM note_overview) FROM settings",
        );
        let shown = home.document(&format!("sql {name} --file query.sql"), 0);
        assert_eq!(shown["rows"], serde_json::json!([[name, format!("{name} two"), 2]]));
    }
}

#[tokio::test]
async fn what_is_refused_leaves_no_tenant() {
    let home = Home::new();
    home.write("text", "no database");
    home.check(
        "adopt acme --from missing",
        "exit 1
--- stderr
error[source]: missing does not exist; check the path",
    );
    home.check(
        "adopt acme --from text",
        "exit 1
--- stderr
error[source]: [home]/text is no SQLite database, or it is encrypted; name the file that the instance uses, decrypted",
    );
    notes(&home.path("acme"), "acme").await;
    instance(&home.path("other"), None, "CREATE TABLE t (a)").await;
    home.step("adopt acme --from acme");
    home.check(
        "adopt globex --from other",
        "exit 1
--- stderr
error[schema_differs]: the schema of the source differs from that of the shared database in index attachments_by_note, index \
comments_by_note, index comments_by_user, index note_tags_by_tag, index notes_by_change, index notes_by_user, table \
attachments, table comments, table digests, table note_tags, table notes, table settings, table t, table tags, table users, \
trigger notes_touch, view note_overview
hint: `tenantry plan other` shows the differences; usually both have to run the same migrations first",
    );
    assert_eq!(home.document("tenant list", 0)["tenants"].as_array().unwrap().len(), 1);
    // A tenant that is in use stays in use.
    instance(&home.path("acme"), None, "DELETE FROM notes WHERE id = 1").await;
    let refused = home.show(&home.run("adopt acme --from acme"));
    assert!(refused.contains("error[tenant_used]: tenant acme was adopted from [home]/acme"), "{refused}");
    assert_eq!(home.document("tenant show acme", 0)["tenant"]["status"], "active");
}

#[tokio::test]
async fn an_active_tenant_is_out_of_service_meanwhile() {
    let home = Home::new();
    notes(&home.path("one"), "one").await;
    notes(&home.path("two"), "two").await;
    home.step("adopt globex --from one");
    home.step("tenant create acme");
    home.write("look.sql", "SELECT count(*) FROM notes");
    home.step("sql acme --file look.sql");
    home.step("adopt acme --from two");
    let shown = home.show(&home.run("sql acme --file look.sql"));
    assert!(shown.contains("\n2\n"), "{shown}");
    // Suspended before, suspended afterwards.
    home.step("tenant create initech --suspended");
    assert_eq!(home.document("adopt initech --from two", 0)["tenant"]["status"], "suspended");
    // With rows of its own it stays as it was.
    home.step("tenant create hooli");
    home.write("use.sql", "INSERT INTO tags (name) VALUES ('mine')");
    home.step("sql hooli --file use.sql");
    let refused = home.show(&home.run("adopt hooli --from two"));
    assert!(refused.contains("error[tenant_used]: tenant hooli has been used: its rows in tags"), "{refused}");
    assert_eq!(home.document("tenant show hooli", 0)["tenant"]["status"], "active");
}

#[tokio::test]
async fn killed_at_any_time_it_is_not_served_and_goes_on() {
    let home = Home::new();
    let many = "WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 60000)
                INSERT INTO tags (name) SELECT 'tag ' || n FROM n";
    instance(&home.path("acme"), Some(&NOTES), many).await;
    home.write("look.sql", "SELECT count(*) FROM tags");
    let (mut killed, mut wait) = (0, Duration::from_millis(20));
    loop {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.args(["adopt", "acme", "--from", "acme"]).current_dir(home.path(""));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(wait).await;
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        let looked = home.run("sql acme --file look.sql");
        let shown = home.show(&looked);
        let is_refused = shown.contains("tenant_provisioning")
            || shown.contains("no tenant is called")
            || shown.contains("catalog_unavailable");
        assert!(is_refused || shown.contains("\n60000\n"), "{shown}");
        wait += wait / 2;
    }
    assert!(killed > 0, "{killed}");
    let shown = home.show(&home.run("sql acme --file look.sql"));
    assert!(shown.contains("\n60000\n"), "{shown}");
}

#[tokio::test]
async fn a_plan_says_what_would_be_done() {
    let home = Home::new();
    notes(&home.path("acme"), "acme").await;
    let before = fs::read(home.path("acme")).unwrap();
    let shown = home.show(&home.run("plan acme"));
    for line in [
        "exit 0",
        "KIND     NAME                 ROWS  BYTES  VERDICT  NOTES",
        "table    notes                2     4096   as is    AUTOINCREMENT counts for each tenant",
        "trigger  notes_touch                       changed  its statements are scoped, with the tenant of the row that it fires for",
        "17 of 17 objects have a shared form; there is no shared schema yet, and it would become that",
        "it can be adopted now",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    assert!(!home.path("shared.db").exists() && !home.path("tenantry.db").exists());
    assert!(fs::read(home.path("acme")).unwrap() == before);
    home.step("adopt acme --from acme");
    assert_eq!(home.document("plan acme", 0)["compared"], Value::Bool(true));
}

#[tokio::test]
async fn a_plan_says_what_is_in_the_way() {
    let home = Home::new();
    let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, _tenant TEXT); CREATE VIRTUAL TABLE f USING fts5 (body)";
    instance(&home.path("odd"), None, script).await;
    let output = home.run("plan odd --json");
    assert_eq!(output.status.code(), Some(3));
    let planned: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdicts: Vec<_> =
        planned["objects"].as_array().unwrap().iter().map(|object| (&object["name"], &object["verdict"])).collect();
    assert_eq!(verdicts[0], (&"t".into(), &"in the way".into()));
    assert_eq!(verdicts[1], (&"f".into(), &"in the way".into()));
    assert_eq!((&planned["adoptable"], &planned["problems"]), (&Value::Bool(false), &serde_json::json!([])));
    let failed: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(failed["error"]["code"], "in_the_way");
    home.check("plan missing", "exit 1\n--- stderr\nerror[source]: missing does not exist; check the path");
}
