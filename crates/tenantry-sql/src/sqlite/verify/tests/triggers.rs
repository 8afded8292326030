//! Triggers, and single statements of them.

use super::*;

/// A trigger with this event and these statements.
fn on(event: &str, body: &str) -> String {
    format!("CREATE TRIGGER \"main\".\"t\" AFTER {event} ON \"notes\" BEGIN {body} END")
}

#[test]
fn triggers() {
    for text in [
        on("INSERT", "INSERT INTO users (id, _tenant) VALUES (NEW.id, NEW._tenant);"),
        on(
            "INSERT",
            r#"INSERT OR IGNORE INTO "users" ("id", "_tenant") SELECT id, NEW."_tenant" FROM {new users} AS u;"#,
        ),
        on(
            "INSERT",
            "INSERT INTO users (id, _tenant) VALUES (1, NEW._tenant) ON CONFLICT (_tenant, id) DO UPDATE SET id = 2;",
        ),
        on("UPDATE", "UPDATE users SET name = OLD.body WHERE users._tenant = NEW._tenant AND (users.id = NEW.id);"),
        on("UPDATE OF body", "UPDATE users SET name = u.name FROM {new users} AS u WHERE users._tenant = new._tenant;"),
        on("DELETE", "DELETE FROM users WHERE users._tenant = OLD._tenant; SELECT 1;"),
        on(
            "DELETE",
            "SELECT RAISE(ABORT, 'no') FROM {old users} AS u WHERE u.id IN (SELECT code FROM countries AS c);",
        ),
        on(
            "DELETE",
            "DELETE FROM users WHERE users._tenant = OLD._tenant AND (id IN (SELECT id FROM {old users} AS u));",
        ),
        "CREATE TRIGGER IF NOT EXISTS t BEFORE UPDATE ON main.notes FOR EACH ROW WHEN NEW.id > 1 AND EXISTS \
         (SELECT 1 FROM countries) BEGIN SELECT RAISE(IGNORE); END;"
            .to_owned(),
        "CREATE TRIGGER t DELETE ON old BEGIN SELECT 1; END".to_owned(),
    ] {
        accept_trigger(&text);
    }
}

#[test]
fn the_term_is_that_of_the_event() {
    for (event, term) in [("INSERT", "OLD"), ("UPDATE", "OLD"), ("UPDATE OF id", "OLD"), ("DELETE", "NEW")] {
        refuse_trigger(
            "write: WHERE",
            &[&on(event, &format!("DELETE FROM users WHERE users._tenant = {term}._tenant;"))],
        );
        refuse_trigger(
            "insert: a row",
            &[&on(event, &format!("INSERT INTO users (id, _tenant) VALUES (1, {term}._tenant);"))],
        );
    }
    refuse_trigger("leaf: WHERE", &[&on("INSERT", "SELECT 1 FROM {old users} AS u;")]);
    refuse_trigger("write: WHERE", &[&on("DELETE", "DELETE FROM users WHERE users._tenant = OLD.id;")]);
    refuse_trigger("write: WHERE", &[&on("DELETE", "DELETE FROM users WHERE users._tenant = users._tenant;")]);
    refuse_trigger("write: it has no guard", &[&on("DELETE", "SELECT 1; DELETE FROM users;")]);
    refuse_trigger(
        "name: it is reserved",
        &[
            &on("DELETE", "SELECT OLD._tenant;"),
            &on("INSERT", "UPDATE users SET _tenant = NEW._tenant WHERE users._tenant = NEW._tenant;"),
            &on("INSERT", "UPDATE users SET id = NEW._tenant WHERE users._tenant = NEW._tenant;"),
            &on("UPDATE OF _tenant", "SELECT 1;"),
        ],
    );
}

#[test]
fn names_in_a_trigger_are_bare_and_mean_tables() {
    refuse_trigger(
        "trigger: a schema within",
        &[
            &on("DELETE", "DELETE FROM main.users WHERE users._tenant = OLD._tenant;"),
            &on("DELETE", "SELECT 1 FROM (SELECT id, name FROM main.users WHERE users._tenant = OLD._tenant) AS u;"),
            &on("DELETE", "SELECT 1 FROM main.countries;"),
        ],
    );
    refuse_trigger("relation: a tenant table", &[&on("DELETE", "SELECT (SELECT id FROM users);")]);
    refuse_trigger("leaf: ", &[&on("DELETE", "SELECT 1 FROM (SELECT * FROM users) AS u;")]);
    refuse_trigger("relation: it is not known", &[&on("DELETE", "SELECT 1 FROM sqlite_master;")]);
    refuse_trigger("name: it is reserved", &[&on("DELETE", "SELECT 1 FROM _tenantry_master;")]);
    refuse_trigger("relation: neither", &[&on("DELETE", "SELECT 1 IN users;")]);
    refuse_trigger(
        "trigger: WITH",
        &[
            &on("DELETE", "SELECT 1 FROM (WITH c AS (SELECT 1) SELECT 1 FROM c);"),
            &on("INSERT", "INSERT INTO users (id, _tenant) WITH c AS (SELECT 1) SELECT 1, NEW._tenant FROM c;"),
        ],
    );
}

#[test]
fn nothing_hides_the_rows() {
    refuse_trigger(
        "trigger: a table called",
        &[
            &on("DELETE", "DELETE FROM users AS old WHERE old._tenant = OLD._tenant;"),
            &on("UPDATE", "UPDATE users AS 'NEW' SET id = 1 WHERE new._tenant = NEW._tenant;"),
            &on("DELETE", "DELETE FROM old WHERE old._tenant = OLD._tenant;"),
            &on("DELETE", "SELECT 1 FROM (SELECT id FROM old WHERE old._tenant = OLD._tenant) AS o;"),
            &on("DELETE", "SELECT 1 FROM {old users} AS old;"),
            &on("DELETE", "SELECT 1 FROM ({old users} AS u) AS new;"),
            &on("DELETE", "SELECT 1 FROM json_each('[]') old;"),
            &on("DELETE", "SELECT 1 FROM countries AS [Old];"),
        ],
    );
}

#[test]
fn the_head_of_a_trigger() {
    refuse_trigger(
        "trigger: not one",
        &[
            "SELECT 1",
            "CREATE TEMP TRIGGER t AFTER DELETE ON notes BEGIN SELECT 1; END",
            "CREATE TRIGGER t INSTEAD OF DELETE ON notes BEGIN SELECT 1; END",
        ],
    );
    refuse_trigger(
        "trigger: its table",
        &[
            "CREATE TRIGGER t DELETE ON countries BEGIN SELECT 1; END",
            "CREATE TRIGGER t DELETE ON adults BEGIN SELECT 1; END",
            "CREATE TRIGGER t DELETE ON x BEGIN SELECT 1; END",
        ],
    );
    refuse_trigger(
        "trigger: a schema other",
        &[
            "CREATE TRIGGER temp.t DELETE ON notes BEGIN SELECT 1; END",
            "CREATE TRIGGER t DELETE ON temp.notes BEGIN SELECT 1; END",
        ],
    );
    refuse_trigger(
        "name: it is reserved",
        &[
            "CREATE TRIGGER _tenant_t DELETE ON notes BEGIN SELECT 1; END",
            "CREATE TRIGGER t DELETE ON _tenantry_tables BEGIN SELECT 1; END",
            "CREATE TRIGGER t DELETE ON notes WHEN OLD._tenant = 1 BEGIN SELECT 1; END",
        ],
    );
    refuse_trigger(
        "trigger: WHEN",
        &["CREATE TRIGGER t DELETE ON notes WHEN EXISTS (SELECT 1 FROM {old users} AS u) BEGIN SELECT 1; END"],
    );
    refuse_trigger("trigger: a parameter", &[&on("DELETE", "SELECT ?1;"), &on("DELETE", "SELECT ?9;")]);
    refuse_trigger("parameter: ", &[&on("DELETE", "SELECT ?;"), &on("DELETE", "SELECT :a;")]);
    refuse_trigger("statement: something", &[&(on("DELETE", "SELECT 1;") + "; SELECT 1")]);
    refuse_trigger("statement: EXPLAIN", &[&("EXPLAIN ".to_owned() + &on("DELETE", "SELECT 1;"))]);
}

#[test]
fn single_statements_of_a_trigger() {
    let verify_new = |text: &str| verify(&scoped(text), &schema(), TenantTerm::New);
    assert_eq!(verify_new("UPDATE users SET id = 1 WHERE users._tenant = NEW._tenant"), Ok(()));
    assert_eq!(verify_new("SELECT 1 FROM {new users} AS u"), Ok(()));
    for text in ["BEGIN", "UPDATE users SET id = 1 WHERE users._tenant = OLD._tenant", "SELECT 1 FROM {users} AS u"] {
        assert!(verify_new(text).is_err(), "{text}");
    }
    let verify_old = |text: &str| verify(&scoped(text), &schema(), TenantTerm::Old);
    assert_eq!(verify_old("DELETE FROM users WHERE users._tenant = OLD._tenant"), Ok(()));
    assert!(verify_old("DELETE FROM users WHERE users._tenant = NEW._tenant").is_err());
}
