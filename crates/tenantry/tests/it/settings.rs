//! The application's settings, changed by one process and read by another.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry::{
    Amendment, Code, Refusal, Tenancy,
    settings::{Layer, Secret, SettingChange, SettingRefused, Settings},
    within,
};

use crate::setup::{config_in, register, scope};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    title: String,
    rows_max: u8,
    token: Option<Secret>,
}

impl Default for Own {
    fn default() -> Self {
        Self { title: "Notes".into(), rows_max: 20, token: None }
    }
}

struct Process {
    tenancy: Tenancy,
    settings: Settings<Own>,
}

impl Process {
    async fn start(folder: &std::path::Path) -> Self {
        let mut config = config_in(folder);
        config.catalog.poll = Duration::from_millis(100);
        let tenancy = Tenancy::with(config).await.unwrap();
        let settings = tenancy.settings().await.unwrap();
        Self { tenancy, settings }
    }

    async fn change(&self, slug: &str, path: &str, value: serde_json::Value) -> Result<(), SettingRefused> {
        let value = (!value.is_null()).then_some(value);
        let changes = vec![SettingChange { path: path.parse().unwrap(), value }];
        self.settings.change(self.tenancy.catalog(), &scope(&self.tenancy, slug), changes).await?;
        self.tenancy.refresh().await.unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn another_process_sees_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let one = Process::start(folder.path()).await;
    register(&one.tenancy, &["acme", "globex"]).await;
    let other = Process::start(folder.path()).await;
    assert_eq!(*other.settings.of(&scope(&other.tenancy, "acme")).unwrap(), Own::default());
    one.change("acme", "title", json!("Acme's")).await.unwrap();
    one.change("acme", "token", json!("hush")).await.unwrap();
    let changed = Instant::now();
    let acme = loop {
        let acme = other.settings.of(&scope(&other.tenancy, "acme")).unwrap();
        if acme.token.is_some() {
            break acme;
        }
        assert!(changed.elapsed() < Duration::from_secs(30), "it is not seen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(
        (acme.title.as_str(), acme.token.as_ref().map(|token| token.expose().as_str())),
        ("Acme's", Some("hush"))
    );
    let globex = within(scope(&other.tenancy, "globex"), async { other.settings.current() }).await.unwrap();
    assert_eq!(*globex, Own::default(), "it is nobody else's");
    let sourced = other.settings.sourced(&scope(&other.tenancy, "acme")).unwrap();
    let from: Vec<_> = sourced.iter().map(|leaf| (leaf.path.as_str(), leaf.layer)).collect();
    assert_eq!(from, [("rows_max", Layer::Default), ("title", Layer::Tenant), ("token", Layer::Tenant)]);
    assert!(!format!("{sourced:?} {acme:?}").contains("hush"));
    one.change("acme", "title", json!(null)).await.unwrap();
    assert_eq!(one.settings.of(&scope(&one.tenancy, "acme")).unwrap().title, "Notes");
}

#[tokio::test]
async fn what_the_application_does_not_accept_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path()).await;
    register(&process.tenancy, &["acme"]).await;
    for (path, value, said) in [
        ("rows_max", json!(300), "rows_max cannot be 300: is not u8"),
        ("rows_max", json!("many"), "rows_max cannot be \"many\": is not u8"),
        ("titel", json!("x"), "titel cannot be what was given: unknown field `titel`"),
        ("token", json!(5), "token cannot be what was given: is not a string"),
    ] {
        let refused = process.change("acme", path, value).await.unwrap_err().to_string();
        assert!(refused.starts_with(said), "{refused}");
    }
    assert_eq!(*process.settings.of(&scope(&process.tenancy, "acme")).unwrap(), Own::default());
    // Somebody else was faster.
    let before = scope(&process.tenancy, "acme");
    process.change("acme", "title", json!("first")).await.unwrap();
    let late = vec![SettingChange { path: "title".parse().unwrap(), value: Some(json!("second")) }];
    let late = process.settings.change(process.tenancy.catalog(), &before, late).await.unwrap_err();
    assert!(late.to_string().contains("was changed meanwhile"), "{late}");
    assert_eq!(process.settings.of(&scope(&process.tenancy, "acme")).unwrap().title, "first");
}

/// A secret that is copied from one tenant's record to another's does not open.
#[tokio::test]
async fn a_secret_is_of_no_use_to_another_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path()).await;
    register(&process.tenancy, &["acme", "globex"]).await;
    process.change("acme", "token", json!("hush")).await.unwrap();
    let (acme, globex) = (scope(&process.tenancy, "acme"), scope(&process.tenancy, "globex"));
    let path = "token".parse().unwrap();
    let stolen = SettingChange { value: acme.tenant().settings.get(&path).cloned(), path };
    assert!(stolen.value.is_some());
    let amendment = Amendment { settings: vec![stolen], ..Amendment::default() };
    process.tenancy.catalog().amend(globex.id(), &amendment, None).await.unwrap();
    process.tenancy.refresh().await.unwrap();
    let error = process.settings.of(&scope(&process.tenancy, "globex")).unwrap_err();
    assert!(error.to_string().contains("the secret token of tenant globex cannot be opened"), "{error}");
    let refusal = Refusal::from(error);
    assert_eq!(refusal.code(), Code::SettingsInvalid);
    assert!(!refusal.public().contains("token"), "{}", refusal.public());
    assert!(process.settings.of(&acme).unwrap().token.is_some(), "others are served");
}
