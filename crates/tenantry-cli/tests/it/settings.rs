//! `settings`: what the application's settings are for tenants.

use serde::{Deserialize, Serialize};
use tenantry::{
    Tenancy,
    config::Config,
    settings::{Secret, Settings},
};

use crate::Home;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    title: String,
    smtp: Smtp,
}

#[derive(Serialize, Deserialize)]
struct Smtp {
    port: u16,
    password: Secret,
}

impl Default for Own {
    fn default() -> Self {
        Self { title: "Notes".into(), smtp: Smtp { port: 25, password: Secret::new("default".into()) } }
    }
}

/// The application, started once.
fn started(home: &Home) -> (tokio::runtime::Runtime, Tenancy, Settings<Own>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = Config::load(home.path("tenantry.toml")).unwrap();
    let tenancy = runtime.block_on(Tenancy::with(config)).unwrap();
    let settings = runtime.block_on(tenancy.settings::<Own>()).unwrap();
    (runtime, tenancy, settings)
}

fn home() -> Home {
    let home = Home::new();
    home.write("tenantry.toml", "[plans.gold]\nsettings = { smtp = { port = 587 } }\n");
    home
}

#[test]
fn they_are_looked_at_and_changed() {
    let home = home();
    home.step("tenant create acme --plan gold");
    home.step("tenant create globex");
    home.check(
        "settings get acme",
        "exit 1
--- stderr
error[settings_unknown]: the application has not yet said which settings it has
hint: start it once; it says so by `tenancy.settings::<Own>()`",
    );
    let (runtime, tenancy, settings) = started(&home);
    home.check(
        "settings get acme",
        r#"
exit 0
--- stdout
SETTING        VALUE    FROM
smtp.password  "…"      default
smtp.port      587      plan
title          "Notes"  default
"#,
    );
    home.check("settings set acme title 7", "exit 0\n--- stdout\ntitle is \"7\" (tenant)");
    home.check("settings set acme smtp.port 26", "exit 0\n--- stdout\nsmtp.port is 26 (tenant)");
    let output = home.run_with("settings set acme smtp.password", "hush\n");
    assert!(output.status.success() && !home.show(&output).contains("hush"), "{}", home.show(&output));
    home.check(
        "settings diff acme globex",
        r#"
exit 0
--- stdout
SETTING    acme  globex
smtp.port  26    25
title      "7"   "Notes"
"#,
    );
    home.check(
        "settings drift",
        r#"
exit 0
--- stdout
TENANT  SETTING        VALUE  OTHERWISE  PROBLEM
acme    smtp.password  "…"    "…"
acme    smtp.port      26     587
acme    title          "7"    "Notes"
"#,
    );
    // The application has it at once, without a restart.
    runtime.block_on(tenancy.refresh()).unwrap();
    let acme = tenancy.admission().admit(&tenantry::Candidate::new("acme".parse().unwrap())).unwrap();
    let own = settings.of(&acme).unwrap();
    assert_eq!((own.title.as_str(), own.smtp.port, own.smtp.password.expose().as_str()), ("7", 26, "hush"));
    home.check("settings unset acme smtp.port", "exit 0\n--- stdout\nsmtp.port is 587 (plan)");
    let got = home.document("settings get acme smtp", 0);
    assert_eq!(got["settings"][1], serde_json::json!({ "path": "smtp.port", "value": 587, "layer": "plan" }));
    for file in std::fs::read_dir(home.path(".")).unwrap().filter(|file| file.as_ref().unwrap().path().is_file()) {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"hush"));
    }
}

#[test]
fn who_is_made_like_another_can_read_its_secrets() {
    let home = home();
    home.step("tenant create acme");
    let (runtime, tenancy, settings) = started(&home);
    home.run_with("settings set acme smtp.password", "hush\n");
    home.step("tenant clone acme copy");
    home.step("tenant create trial --from acme");
    home.step("tenant clone trial twin");
    runtime.block_on(tenancy.refresh()).unwrap();
    for slug in ["acme", "copy", "trial", "twin"] {
        let scope = tenancy.admission().admit(&tenantry::Candidate::new(slug.parse().unwrap())).unwrap();
        assert_eq!(settings.of(&scope).unwrap().smtp.password.expose(), "hush", "{slug}");
    }
    // A copy's are its own.
    home.run_with("settings set acme smtp.password", "changed\n");
    runtime.block_on(tenancy.refresh()).unwrap();
    for (slug, password) in [("copy", "hush"), ("trial", "changed"), ("twin", "changed")] {
        let scope = tenancy.admission().admit(&tenantry::Candidate::new(slug.parse().unwrap())).unwrap();
        assert_eq!(settings.of(&scope).unwrap().smtp.password.expose(), password, "{slug}");
    }
}

#[test]
fn what_cannot_be_is_refused_and_nothing_changes() {
    let home = home();
    home.step("tenant create acme");
    let _app = started(&home);
    for (line, said) in [
        ("settings set acme smtp.port many", "smtp.port cannot be \"many\": it is a whole number"),
        ("settings set acme smtp.port 2.5", "smtp.port cannot be 2.5: it is a whole number"),
        ("settings set acme smtp {}", "smtp has the secret password in it; set what is in it one by one"),
        ("settings set acme titel x", "there is no setting titel"),
    ] {
        home.check(line, &format!("exit 43\n--- stderr\nerror[setting_refused]: {said}\nhint: {HINT}"));
    }
    let wrong = home.run("settings set acme smtp..port 1");
    assert!(home.show(&wrong).contains("a setting is named like mail.smtp.port"), "{}", home.show(&wrong));
    home.check("settings drift acme", "exit 0\n--- stdout\nnothing is set for a tenant itself");
    let unknown = home.run("settings get acmee");
    assert!(home.show(&unknown).contains("did you mean acme?"), "{}", home.show(&unknown));
}

const HINT: &str = "the reason says which setting, and what it can be";
