//! `tenantry config`

use std::fs;

use crate::Home;

#[test]
fn what_is_in_effect_can_be_used_as_a_file() {
    let home = Home::new();
    home.write("tenantry.toml", "[instances]\nidle = \"1h\"");
    let shown = home.run("config check");
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.starts_with("# ok: tenantry.toml, with defaults for what it does not say\n"), "{text}");
    assert!(text.contains("\nidle = \"1h\"\n") && text.contains("\npoll = \"250ms\"\n"), "{text}");
    assert!(text.contains("\n[plans.default]\nrequests_per_second = 100\n"), "{text}");
    fs::write(home.path("copy.toml"), &text).unwrap();
    let again = home.run("config check --config copy.toml");
    assert_eq!(String::from_utf8(again.stdout).unwrap(), text.replace("tenantry.toml", "copy.toml"));
}

#[test]
fn without_a_file_the_defaults_are_shown() {
    let shown = Home::new().run("config check");
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.starts_with("# ok: there is no tenantry.toml, so these are the defaults\n"), "{text}");
}

#[test]
fn problems_are_told() {
    let home = Home::new();
    home.check(
        "config check --config absent.toml",
        "exit 1
--- stderr
error[config_invalid]: cannot read the configuration absent.toml: No such file or directory (os error 2)
hint: docs/tenantry.toml shows every key",
    );
    home.write("tenantry.toml", "[resolve.header]\n[plans.gold]\nburst = \"none\"");
    home.check(
        "config check",
        "exit 1
--- stderr
error[config_invalid]: tenantry.toml has 2 problems:
  resolve.header: anybody can send a header; list the proxies that set it in proxies.trusted
  plans.gold: requests_per_second and burst are both \"none\", or both a number
hint: docs/tenantry.toml shows every key",
    );
    home.write("tenantry.toml", "[instances]\nidle = 15");
    home.check(
        "tenant list",
        "exit 1
--- stderr
error[config_invalid]: tenantry.toml, line 2, instances.idle: invalid type: integer `15`, expected a time like \"250ms\" or \"15m\"
hint: docs/tenantry.toml shows every key",
    );
}
