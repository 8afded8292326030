//! Work without a scope is in the audit log, and in nobody else's.

use std::num::NonZeroU32;

use tenantry::{
    Audit, AuditEntry, AuditFilter, CatalogStore, Deed, Link, OpenOptions, Tenancy, TenantId, Unscoped, config::Config,
    within,
};

use crate::setup::{config_in, register, scope};

#[tokio::test]
async fn it_is_noted_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    it_is_noted(config_in(folder.path())).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn it_is_noted_on_postgresql() {
    let database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config_in(folder.path());
    let text = format!("[catalog]\nurl = {:?}", database.url());
    config.catalog = Config::parse(&text, folder.path()).unwrap().catalog;
    it_is_noted(config).await;
}

/// What the log has of it, and that all of it is what was written.
async fn it_is_noted(config: Config) {
    let tenancy = Tenancy::with(config.clone()).await.unwrap();
    register(&tenancy, &["acme"]).await;
    let scope = scope(&tenancy, "acme");
    let acme = scope.id();
    for _ in 0..3 {
        let _ = Unscoped::because("billing sums up");
    }
    let _ = Unscoped::on(acme, "a look at one");
    within(scope, async { Unscoped::because("a request looks at all") }).await;
    assert!(tenancy.shut_down().await);
    let entries = entries(&config).await;
    let times = |reason: &str| unscoped(&entries, reason).iter().map(|(times, _)| times).sum::<u64>();
    assert_eq!(["billing sums up", "a look at one", "a request looks at all"].map(times), [3, 1, 1]);
    assert!(unscoped(&entries, "billing sums up").len() <= 2, "at once, and at the end");
    assert_eq!(unscoped(&entries, "billing sums up")[0].1, None);
    assert_eq!(unscoped(&entries, "a look at one"), [(1, Some(acme))]);
    assert_eq!(unscoped(&entries, "a request looks at all"), [(1, Some(acme))]);
    let named = entries.iter().filter(|entry| entry.deed.verb == Deed::UNSCOPED && entry.deed.tenant.is_some());
    assert!(named.clone().all(|entry| entry.deed.slug.as_ref().is_some_and(|slug| slug.as_str() == "acme")));
    assert!(entries.iter().all(|entry| entry.deed.verb != Deed::UNSCOPED || entry.deed.detail.contains(file!())));
}

#[tokio::test]
async fn deployments_of_one_process_note_what_is_theirs() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let configs = folders.each_ref().map(|folder| config_in(folder.path()));
    let (one, other) =
        (Tenancy::with(configs[0].clone()).await.unwrap(), Tenancy::with(configs[1].clone()).await.unwrap());
    register(&one, &["acme"]).await;
    let scope = scope(&one, "acme");
    let acme = scope.id();
    let _ = Unscoped::on(acme, "of the first alone");
    within(scope, async { Unscoped::because("in a scope of the first") }).await;
    let _ = Unscoped::because("of nobody in particular");
    one.shut_down().await;
    other.shut_down().await;
    let (one, other) = (entries(&configs[0]).await, entries(&configs[1]).await);
    for reason in ["of the first alone", "in a scope of the first"] {
        assert_eq!((unscoped(&one, reason).len(), unscoped(&other, reason).len()), (1, 0), "{reason}");
    }
    assert_eq!(unscoped(&one, "of nobody in particular"), unscoped(&other, "of nobody in particular"));
    assert_eq!(unscoped(&one, "of nobody in particular"), [(1, None)]);
}

#[tokio::test]
async fn nothing_fails_while_the_catalog_is_away_and_it_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config_in(folder.path());
    config.audit.unscoped_max = NonZeroU32::MIN;
    let tenancy = Tenancy::with(config.clone()).await.unwrap();
    let (there, away) = (folder.path().join("tenantry.db"), folder.path().join("away.db"));
    std::fs::rename(&there, &away).unwrap();
    for _ in 0..1000 {
        let _ = Unscoped::because("a thousand times");
    }
    let _ = Unscoped::because("one place too many");
    tenancy.flush_unscoped().await.unwrap_err();
    std::fs::rename(&away, &there).unwrap();
    tenancy.flush_unscoped().await.unwrap();
    let entries = entries(&config).await;
    assert_eq!(unscoped(&entries, "a thousand times"), [(1000, None)]);
    assert_eq!(unscoped(&entries, "one place too many"), []);
}

#[tokio::test]
async fn what_is_left_is_written_when_the_deployment_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let config = config_in(folder.path());
    let tenancy = Tenancy::with(config.clone()).await.unwrap();
    let _ = Unscoped::because("the last word");
    drop(tenancy);
    while unscoped(&entries(&config).await, "the last word").is_empty() {
        tokio::task::yield_now().await;
    }
}

/// All entries of the log, which are a chain.
async fn entries(config: &Config) -> Vec<AuditEntry> {
    let catalog = CatalogStore::open(&config.catalog, OpenOptions::must_exist()).await.unwrap();
    let audit: &dyn Audit = catalog.audit();
    let entries = audit.entries(0, AuditFilter::All, 1000).await.unwrap();
    let (mut number, mut link) = (0, Link::START);
    for entry in &entries {
        entry.follows(number, &link).unwrap();
        (number, link) = (entry.number, entry.link);
    }
    entries
}

/// How often this was done, and on whom, by each entry.
fn unscoped(entries: &[AuditEntry], reason: &str) -> Vec<(u64, Option<TenantId>)> {
    let said = entries.iter().filter(|entry| entry.deed.verb == Deed::UNSCOPED);
    let detail = said.map(|entry| (serde_json::from_str::<serde_json::Value>(&entry.deed.detail).unwrap(), entry));
    let of_it = detail.filter(|(detail, _)| detail["reason"] == reason);
    of_it.map(|(detail, entry)| (detail["times"].as_u64().unwrap(), entry.deed.tenant)).collect()
}
