//! With `--json`, every command prints one document, and every failure another.

use serde_json::{Value, json};

use crate::Home;

/// What a command line that succeeds prints, without what the clock says.
#[track_caller]
fn timeless(home: &Home, line: &str) -> Value {
    let mut document = home.document(line, 0);
    if let Some(tenant) = document.get_mut("tenant").and_then(Value::as_object_mut) {
        assert!(tenant.remove("created_at").is_some_and(|time| time.is_string()));
        assert!(tenant.remove("id").is_some_and(|id| id.is_i64()));
    }
    document
}

fn acme(status: &str, revision: i64) -> Value {
    json!({
        "slug": "acme", "aliases": ["shop"], "status": status, "plan": "default", "placement": "shared",
        "expires_at": null, "revision": revision,
    })
}

#[test]
fn commands_for_tenants() {
    let home = Home::new();
    assert_eq!(timeless(&home, "tenant create acme --alias shop"), json!({ "tenant": acme("active", 1) }));
    assert_eq!(timeless(&home, "tenant show shop"), json!({ "tenant": acme("active", 1) }));
    let listed = timeless(&home, "tenant list --limit 0");
    assert_eq!(listed, json!({ "tenants": [], "more": true }));
    assert_eq!(timeless(&home, "tenant list")["tenants"][0]["slug"], "acme");
    let suspended = acme("suspended", 2);
    assert_eq!(timeless(&home, "tenant suspend acme"), json!({ "changed": true, "tenant": suspended }));
    assert_eq!(timeless(&home, "tenant suspend acme"), json!({ "changed": false, "tenant": suspended }));
    assert_eq!(timeless(&home, "tenant resume acme"), json!({ "changed": true, "tenant": acme("active", 3) }));
    let deleting = acme("deleting", 4);
    let mut deleted = timeless(&home, "tenant delete acme --yes");
    assert!(deleted.as_object_mut().unwrap().remove("erase_at").is_some_and(|time| time.is_string()));
    assert_eq!(deleted, json!({ "changed": true, "tenant": deleting }));
    let forgotten = json!({ "forgotten": true, "users": 0, "tenant": deleting });
    assert_eq!(timeless(&home, "tenant delete acme --forget --yes"), forgotten);
}

#[test]
fn other_commands() {
    let home = Home::new();
    let checked = timeless(&home, "config check");
    assert_eq!((&checked["ok"], &checked["config"]["catalog"]["poll"]), (&json!(true), &json!("250ms")));
    assert_eq!(timeless(&home, "completions zsh")["shell"], "zsh");
}

#[test]
fn failures() {
    let home = Home::new();
    home.check(
        "--json tenant show acme",
        r#"exit 21
--- stderr
{"error":{"code":"catalog_unavailable","message":"the catalog tenantry.db is not available: the file does not exist; check the path, or create a tenant to start anew","hint":"there is no tenantry.toml here, so catalog.path has its default; --config names another"}}"#,
    );
    home.step("tenant create acme");
    home.check(
        "tenant show acmee --json",
        r#"exit 39
--- stderr
{"error":{"code":"tenant_unknown","message":"no tenant is called acmee","hint":"did you mean acme?"}}"#,
    );
    home.check(
        "tenant delete acme --json",
        r#"exit 2
--- stderr
{"error":{"code":"usage","message":"there is nobody to ask","hint":"--yes goes on without a question"}}"#,
    );
    home.check(
        "tenant create Acme --json",
        r#"exit 2
--- stderr
{"error":{"code":"usage","message":"invalid value 'Acme' for '<SLUG>': a tenant's name is made of a-z, 0-9 and inner hyphens, and 'A' is none of them","hint":"`tenantry help` shows the commands"}}"#,
    );
    home.write("tenantry.toml", "[catalog]\npol = 1");
    home.check(
        "config check --json",
        r#"exit 1
--- stderr
{"error":{"code":"config_invalid","message":"tenantry.toml, line 2, [catalog]: unknown field `pol`, expected one of `path`, `url`, `poll`, `busy_timeout`","hint":"docs/tenantry.toml shows every key"}}"#,
    );
}
