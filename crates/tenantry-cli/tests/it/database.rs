//! `explain` and `sql`: statements, scoped and run as a tenant.

use serde_json::{Value, json};

use crate::Home;

const SCHEMA: &str = "
    CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, raw BLOB);
    CREATE VIEW titles AS SELECT title FROM notes;
";

fn home() -> Home {
    let home = Home::new();
    home.write("schema.sql", SCHEMA);
    home
}

/// The lines of JSON that a command prints when it reads `input`.
#[track_caller]
pub(crate) fn lines(home: &Home, line: &str, input: &str) -> Vec<Value> {
    let output = home.run_with(line, input);
    assert!(output.status.success() && output.stderr.is_empty(), "{line}: {}", home.show(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_statement_is_explained() {
    let home = home();
    home.write("one.sql", "SELECT title FROM notes WHERE id = ?");
    home.check(
        "explain --schema schema.sql --file one.sql --plan",
        r#"
exit 0
--- stdout
SELECT title FROM (SELECT "id", "title", "raw" FROM "main"."notes" WHERE "notes"."_tenant" = ?2) AS "notes" WHERE id = ?1

-- the tenant is parameter ?2
-- SEARCH main.notes USING PRIMARY KEY (_tenant=? AND id=?)
"#,
    );
    home.write("refused.sql", "SELECT _tenant FROM notes");
    home.check(
        "explain --schema schema.sql --file refused.sql",
        "
exit 0
--- stdout
TENANT_SCOPE_REFUSED[S04] name \"_tenant\" at 1:8: the name is reserved; rename it; names that begin with _tenant belong to Tenantry
",
    );
}

#[test]
fn a_log_of_statements_is_explained_line_by_line() {
    let home = home();
    let log = "SELECT count(*) FROM titles;\nDELETE FROM notes;\nATTACH 'x' AS y;\nSELECT 1";
    let explained = lines(&home, "explain --json --schema schema.sql", log);
    let verdicts: Vec<_> = explained.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["scoped", "scoped", "refused", "scoped"]);
    let delete = r#"DELETE FROM "main"."notes" WHERE "notes"."_tenant" = ?1"#;
    let at = delete.find("?1").unwrap();
    assert_eq!(
        explained[1],
        json!({ "verdict": "scoped", "statement": "DELETE FROM notes", "text": delete,
                "tenant": { "parameter": 1, "at": [at] } })
    );
    assert_eq!((&explained[2]["code"], &explained[2]["line"]), (&json!("S16"), &json!(1)));
    assert_eq!(explained[3]["tenant"], Value::Null);
}

#[test]
fn statements_are_run_as_a_tenant() {
    let home = home();
    let script = "INSERT INTO notes (title, raw) VALUES ('a', x'00ff'), ('b', NULL);
                  SELECT id, title, raw FROM notes ORDER BY id;
                  INSERT INTO notes (title) VALUES ('a');
                  SELECT absent FROM notes;
                  SELECT * FROM sqlite_temp_master;
                  DELETE FROM notes WHERE id = 1 RETURNING title";
    let ran = lines(&home, "sql acme --tenant globex --schema schema.sql --json", script);
    let done = |columns: Value, rows: Value, affected| json!({ "ok": true, "columns": columns, "rows": rows, "affected": affected });
    assert_eq!(ran[0], done(json!([]), json!([]), 2));
    let rows = json!([[1, "a", { "blob": "00FF" }], [2, "b", null]]);
    assert_eq!(ran[1], done(json!(["id", "title", "raw"]), rows, 0));
    let unique = "UNIQUE constraint failed: notes.title";
    assert_eq!(ran[2], json!({ "ok": false, "kind": "error", "code": "2067", "message": unique }));
    assert_eq!((&ran[3]["kind"], &ran[3]["code"]), (&json!("error"), &json!("1")));
    assert_eq!((&ran[4]["kind"], &ran[4]["code"]), (&json!("refused"), &json!("S03")));
    assert_eq!(ran[5], done(json!(["title"]), json!([["a"]]), 1));
    assert_eq!(ran.len(), 6);
}

#[test]
fn each_tenant_of_the_deployment_has_rows_of_its_own() {
    let home = home();
    for tenant in ["acme", "globex"] {
        home.step(&format!("tenant create {tenant}"));
    }
    // There are no tables before the application has migrated.
    let ran = lines(&home, "sql acme --json", "SELECT count(*) FROM sqlite_master WHERE name = 'notes'");
    assert_eq!(ran[0]["rows"], json!([[0]]));
    home.write("one.sql", "SELECT 1 AS one, 'two' AS two");
    home.check("sql globex --file one.sql", "exit 0\n--- stdout\none  two\n1    two\n");
    home.step("tenant suspend globex");
    let refused = home.run("sql globex --file one.sql");
    assert!(!refused.status.success() && home.show(&refused).contains("suspended"), "{}", home.show(&refused));
    let unknown = home.run("sql nobody --file one.sql");
    assert!(home.show(&unknown).contains("no tenant is called nobody"), "{}", home.show(&unknown));
}

#[test]
fn what_cannot_be_run_ends_with_an_error() {
    let home = home();
    home.write("two.sql", "SELECT 1; SELECT * FROM nowhere");
    let output = home.run("sql acme --schema schema.sql --file two.sql");
    let shown = home.show(&output);
    assert!(
        !output.status.success() && shown.contains("S03") && shown.contains("not every statement was run"),
        "{shown}"
    );
    let missing = home.run("sql acme --schema nowhere.sql --file two.sql");
    assert!(home.show(&missing).contains("nowhere.sql cannot be read"), "{}", home.show(&missing));
    home.write("bad.sql", "CREATE TABLE x (_tenant INT)");
    let bad = home.run("explain --schema bad.sql --file two.sql");
    assert!(home.show(&bad).contains("S04"), "{}", home.show(&bad));
}

/// What these commands do to a file would be no help to tenants whose rows are on a server.
#[cfg(not(feature = "postgres"))]
#[test]
fn rows_on_a_server_are_not_looked_for_in_a_file() {
    let home = Home::new();
    let urls = "url = \"postgres://owner@localhost/app\"\napplication_url = \"postgres://app@localhost/app\"";
    home.write("tenantry.toml", &format!("[database]\n{urls}"));
    home.write("old.db", "");
    for line in ["adopt acme --from old.db", "plan old.db", "explain SELECT", "sql acme SELECT"] {
        let output = home.run(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("this build has no PostgreSQL"),
            "{line}: {}",
            home.show(&output)
        );
    }
    for file in ["shared.db", "tenantry.db"] {
        assert!(!home.path(file).exists(), "{file}");
    }
}
