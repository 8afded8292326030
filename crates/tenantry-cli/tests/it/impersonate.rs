//! `tenantry tenant impersonate`

use serde_json::json;

use crate::Home;

#[test]
fn a_link_is_made_with_a_reason_and_logged() {
    let home = Home::new();
    home.step("tenant create acme");
    home.write("tenantry.toml", "[entrance]\naddress = \"https://{tenant}.example.com/\"\n");
    let made = home.document("tenant impersonate acme --reason complaint --as bob", 0);
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("https://acme.example.com/_enter?ticket=k1."), "{url}");
    assert_eq!(made["slug"], "acme");
    assert!(made["valid_until"].is_string(), "{made}");
    let log = home.document("audit acme", 0);
    let entry = &log["entries"][1];
    assert_eq!((&entry["verb"], &entry["why"]), (&json!("impersonation offered"), &json!("complaint")));
    assert!(entry["detail"]["as"] == "bob" && entry["detail"]["link"].is_string(), "{entry}");

    let shown = home.show(&home.run("tenant impersonate acme --reason complaint"));
    assert!(shown.contains("exit 0\n--- stdout\nhttps://acme.example.com/_enter?ticket="), "{shown}");
    assert!(shown.contains("hint: it is good once, for whoever has it"), "{shown}");
}

#[test]
fn nobody_gets_in_without_a_reason_or_where_nobody_is_served() {
    let home = Home::new();
    home.step("tenant create acme");
    let without = home.run("tenant impersonate acme");
    assert_eq!(without.status.code(), Some(2), "{}", home.show(&without));
    home.check(
        "tenant impersonate acme --reason=",
        "exit 2
--- stderr
error[usage]: nobody gets into acme without a reason, which the audit log keeps
hint: `--reason` says why",
    );
    home.step("tenant suspend acme");
    home.check(
        "tenant impersonate acme --reason complaint",
        "exit 38
--- stderr
error[tenant_suspended]: nobody gets into acme: this workspace is suspended
hint: `tenantry tenant resume` switches it on again",
    );
    home.check(
        "tenant impersonate amce --reason complaint",
        "exit 39
--- stderr
error[tenant_unknown]: no tenant is called amce
hint: did you mean acme?",
    );
    let log = home.document("audit acme", 0);
    assert_eq!(log["entries"].as_array().unwrap().len(), 2, "what was refused was not offered: {log}");
}

#[test]
fn where_nobody_knows_the_host_it_is_the_end_of_a_link() {
    let home = Home::new();
    home.step("tenant create acme");
    let shown = home.show(&home.run("tenant impersonate acme --reason complaint"));
    assert!(shown.contains("--- stdout\n/t/acme/_enter?ticket="), "{shown}");
    assert!(
        shown.contains("hint: it is the end of the link; there is no tenantry.toml here, so entrance.address"),
        "{shown}"
    );
}
