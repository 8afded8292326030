//! What [`Catalog`] promises, asked of any catalog. Nothing in here knows which database it is.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use tenantry_core::{
    Act, Amendment, Audit, AuditFilter, Catalog, CatalogError, CatalogVersion, Change, Deed, Link, Overrides,
    Placement, SettingChange, Slug, Status, Tenant, TenantId,
};

use crate::new;

/// Runs all of it on a catalog, which has to be empty.
pub(crate) async fn check(catalog: &dyn Catalog) {
    an_empty_catalog_answers(catalog).await;
    a_record_survives_a_round_trip(catalog).await;
    names_are_one_space(catalog).await;
    a_name_that_is_listed_twice_counts_once(catalog).await;
    a_write_that_fails_changes_nothing(catalog).await;
    every_write_raises_the_version(catalog).await;
    changes_can_be_cut_anywhere(catalog).await;
    ids_and_names_after_a_removal(catalog).await;
    a_record_is_amended_whole_or_not_at_all(catalog).await;
    settings_change_whole_or_not_at_all(catalog).await;
    which_settings_there_are_is_remembered(catalog).await;
    a_template_is_not_removed(catalog).await;
    pages_are_in_the_order_of_ids(catalog).await;
}

async fn an_empty_catalog_answers(catalog: &dyn Catalog) {
    assert_eq!(catalog.page(None, 10).await.unwrap(), []);
    assert_eq!(catalog.changes(CatalogVersion::default(), 10).await.unwrap(), []);
    assert_eq!(catalog.version().await.unwrap(), CatalogVersion::default());
    assert_eq!(catalog.by_slug(&slug("nobody")).await.unwrap(), None);
    assert_eq!(catalog.by_id(TenantId::new(1)).await.unwrap(), None);
}

async fn a_record_survives_a_round_trip(catalog: &dyn Catalog) {
    let mut everything = new("everything", &["every-z", "every-a"]);
    everything.status = Status::Provisioning;
    everything.plan = "gold".parse().unwrap();
    everything.placement = Placement::Shared;
    everything.expires_at = Some(UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789));
    let tenant = catalog.create(everything.clone()).await.unwrap();
    let kept = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    assert_eq!(tenant.expires_at, Some(kept), "times are kept to the millisecond");
    let age = SystemTime::now().duration_since(tenant.created_at).unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");
    everything.expires_at = Some(kept);
    assert_eq!(tenant, everything.into_tenant(tenant.id, tenant.created_at, tenant.revision));
    assert_eq!(catalog.by_id(tenant.id).await.unwrap().as_ref(), Some(&tenant));
    for name in ["everything", "every-z", "every-a"] {
        assert_eq!(catalog.by_slug(&slug(name)).await.unwrap().as_ref(), Some(&tenant), "{name}");
    }
    assert_eq!(changes(catalog, tenant.revision.get() - 1, 10).await, [Change::Upserted(tenant)]);
}

async fn names_are_one_space(catalog: &dyn Catalog) {
    catalog.create(new("acme", &["acme-old"])).await.unwrap();
    for (attempt, taken) in [
        (new("acme", &[]), "acme"),
        (new("acme-old", &[]), "acme-old"),
        (new("other", &["acme"]), "acme"),
        (new("other", &["another", "acme-old"]), "acme-old"),
    ] {
        match catalog.create(attempt).await {
            Err(CatalogError::NameTaken { slug }) => assert_eq!(slug.as_str(), taken),
            other => panic!("{taken} was not refused: {other:?}"),
        }
    }
}

async fn a_name_that_is_listed_twice_counts_once(catalog: &dyn Catalog) {
    let tenant = catalog.create(new("twice", &["twin", "twice", "twin"])).await.unwrap();
    assert_eq!(tenant.aliases, [slug("twin")]);
    assert_eq!(catalog.by_id(tenant.id).await.unwrap(), Some(tenant));
}

async fn a_write_that_fails_changes_nothing(catalog: &dyn Catalog) {
    let (version, tenants) = (catalog.version().await.unwrap(), catalog.page(None, 1000).await.unwrap());
    let nobody = TenantId::new(1_000_000);
    assert!(matches!(catalog.create(new("free", &["acme"])).await, Err(CatalogError::NameTaken { .. })));
    let status = catalog.set_status(nobody, Status::Suspended).await;
    assert!(matches!(status, Err(CatalogError::NotFound { id }) if id == nobody));
    assert!(matches!(catalog.remove(nobody).await, Err(CatalogError::NotFound { id }) if id == nobody));
    assert_eq!(catalog.version().await.unwrap(), version);
    assert_eq!(catalog.page(None, 1000).await.unwrap(), tenants);
    assert_eq!(catalog.by_slug(&slug("free")).await.unwrap(), None);
}

async fn every_write_raises_the_version(catalog: &dyn Catalog) {
    let v0 = catalog.version().await.unwrap();
    let created = catalog.create(new("riser", &[])).await.unwrap();
    let v1 = catalog.version().await.unwrap();
    let suspended = catalog.set_status(created.id, Status::Suspended).await.unwrap();
    let v2 = catalog.version().await.unwrap();
    catalog.remove(created.id).await.unwrap();
    let v3 = catalog.version().await.unwrap();
    assert!(v0 < v1 && v1 < v2 && v2 < v3);
    assert_eq!((created.revision.get(), suspended.revision.get()), (v1.get(), v2.get()));
    let mut expected = created.clone();
    (expected.status, expected.revision) = (Status::Suspended, suspended.revision);
    assert_eq!(suspended, expected);
    assert_eq!(changes(catalog, v0.get(), 10).await, [Change::Removed { id: created.id, version: v3 }]);
    assert_eq!(changes(catalog, v3.get(), 10).await, []);
}

async fn changes_can_be_cut_anywhere(catalog: &dyn Catalog) {
    let since = catalog.version().await.unwrap().get();
    let mut ids = Vec::new();
    for n in 0..9 {
        ids.push(catalog.create(new(&format!("cut-{n}"), &[])).await.unwrap().id);
    }
    catalog.set_status(ids[2], Status::Suspended).await.unwrap();
    catalog.remove(ids[5]).await.unwrap();
    catalog.set_status(ids[0], Status::Expired).await.unwrap();
    let all = changes(catalog, since, 1000).await;
    let order: Vec<_> = all.iter().map(Change::id).collect();
    assert_eq!(order, [1, 3, 4, 6, 7, 8, 2, 5, 0].map(|n: usize| ids[n]), "oldest first, each at most once");
    assert!(all.is_sorted_by_key(Change::version));
    for limit in 1..=10 {
        let (mut paged, mut at) = (Vec::new(), since);
        loop {
            let page = changes(catalog, at, limit).await;
            assert!(page.len() <= usize::try_from(limit).unwrap());
            let Some(last) = page.last() else { break };
            at = last.version().get();
            paged.extend(page);
        }
        assert_eq!(paged, all, "in pages of {limit}");
    }
}

async fn ids_and_names_after_a_removal(catalog: &dyn Catalog) {
    let first = catalog.create(new("phoenix", &["ashes"])).await.unwrap();
    catalog.remove(first.id).await.unwrap();
    assert_eq!(catalog.by_id(first.id).await.unwrap(), None);
    assert_eq!(catalog.by_slug(&slug("ashes")).await.unwrap(), None);
    let second = catalog.create(new("ashes", &["phoenix"])).await.unwrap();
    assert!(second.id > first.id, "the id of the last tenant is not used again either");
}

fn set(settings: &[SettingChange]) -> Amendment {
    Amendment { settings: settings.to_vec(), ..Amendment::default() }
}

async fn a_record_is_amended_whole_or_not_at_all(catalog: &dyn Catalog) {
    let other = catalog.create(new("other-name", &[])).await.unwrap();
    let tenant = catalog.create(new("former", &["alias-1", "alias-2"])).await.unwrap();
    let end = SystemTime::UNIX_EPOCH + Duration::new(4_000_000_000, 123_999_999);
    let amendment = Amendment {
        status: Some(Status::Suspended),
        slug: Some(slug("alias-2")),
        aliases_added: vec![slug("alias-3")],
        aliases_removed: vec![slug("alias-1")],
        plan: Some("gold".parse().unwrap()),
        placement: Some(Placement::Dedicated),
        expires_at: Some(Some(end)),
        erase_at: Some(Some(end)),
        new_epoch: true,
        settings: vec![SettingChange { path: "a".parse().unwrap(), value: Some(json!(1)) }],
        template: Some(Some(other.id)),
        trial: Some(true),
    };
    let amended = catalog.amend(tenant.id, &amendment, Some(tenant.revision)).await.unwrap();
    assert!(amended.revision > tenant.revision);
    let mut expected = amendment.of(&tenant).unwrap();
    expected.revision = amended.revision;
    expected.expires_at = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(4_000_000_000_123));
    expected.erase_at = expected.expires_at;
    assert_eq!(amended, expected);
    assert_eq!(amended.aliases, [slug("former"), slug("alias-3")]);
    assert_eq!(catalog.by_slug(&slug("former")).await.unwrap(), Some(amended.clone()));
    assert_eq!(catalog.by_slug(&slug("alias-1")).await.unwrap(), None, "it is free");
    assert_eq!(changes(catalog, tenant.revision.get(), 10).await, [Change::Upserted(amended.clone())]);

    let (version, rename) =
        (catalog.version().await.unwrap(), |to| Amendment { slug: Some(slug(to)), ..Status::Active.into() });
    let taken = catalog.amend(tenant.id, &rename("other-name"), None).await;
    assert!(matches!(taken, Err(CatalogError::NameTaken { slug }) if slug.as_str() == "other-name"));
    let late = catalog.amend(tenant.id, &rename("free-name"), Some(tenant.revision)).await;
    assert!(matches!(late, Err(CatalogError::Changed { id }) if id == tenant.id));
    let nobody = catalog.amend(TenantId::new(1_000_000), &rename("free-name"), None).await;
    assert!(matches!(nobody, Err(CatalogError::NotFound { .. })));
    assert_eq!(catalog.by_id(tenant.id).await.unwrap(), Some(amended));
    assert_eq!(catalog.version().await.unwrap(), version);
    let back = Amendment { expires_at: Some(None), template: Some(None), trial: Some(false), ..rename("former") };
    let back = catalog.amend(tenant.id, &back, None).await.unwrap();
    assert_eq!((back.expires_at, back.template, back.trial, back.status), (None, None, false, Status::Active));
    assert_eq!((back.slug, back.aliases), (slug("former"), vec![slug("alias-2"), slug("alias-3")]));
}

async fn settings_change_whole_or_not_at_all(catalog: &dyn Catalog) {
    let mut with = new("settled", &[]);
    with.settings = [("a.b".parse().unwrap(), json!({ "c": [1, "ü'\\\"", null] }))].into_iter().collect();
    let created = catalog.create(with.clone()).await.unwrap();
    assert_eq!(created.settings, with.settings);
    assert_eq!(catalog.by_id(created.id).await.unwrap().as_ref(), Some(&created));
    let change = |path: &str, value| SettingChange { path: path.parse().unwrap(), value };
    let changes = [change("a.b", None), change("x", Some(json!(1.5))), change("y.z", Some(json!("\u{0}".repeat(3))))];
    let changed = catalog.amend(created.id, &set(&changes), Some(created.revision)).await.unwrap();
    assert_eq!(changed.settings, created.settings.with(&changes).unwrap());
    assert!(changed.revision > created.revision);
    assert_eq!(catalog.by_id(created.id).await.unwrap().as_ref(), Some(&changed));
    assert_eq!(self::changes(catalog, created.revision.get(), 10).await, [Change::Upserted(changed.clone())]);

    let late = catalog.amend(created.id, &set(&[change("x", None)]), Some(created.revision)).await;
    assert!(matches!(late, Err(CatalogError::Changed { id }) if id == created.id), "{late:?}");
    let large = [change("x", None), change("large", Some(json!("x".repeat(Overrides::BYTES_MAX))))];
    let large = catalog.amend(created.id, &set(&large), None).await;
    assert!(matches!(large, Err(CatalogError::SettingsTooLarge(_))), "{large:?}");
    let nobody = catalog.amend(TenantId::new(1_000_000), &set(&[change("x", None)]), None).await;
    assert!(matches!(nobody, Err(CatalogError::NotFound { .. })), "{nobody:?}");
    assert_eq!(catalog.by_id(created.id).await.unwrap(), Some(changed));
}

async fn which_settings_there_are_is_remembered(catalog: &dyn Catalog) {
    assert_eq!(catalog.described_settings().await.unwrap(), None);
    let version = catalog.version().await.unwrap();
    for described in [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":2}"#] {
        catalog.describe_settings(described).await.unwrap();
        assert_eq!(catalog.described_settings().await.unwrap().as_deref(), Some(described));
    }
    assert_eq!(catalog.version().await.unwrap(), version, "no tenant has changed");
}

async fn a_template_is_not_removed(catalog: &dyn Catalog) {
    let template = catalog.create(new("seed", &[])).await.unwrap();
    let mut like_it = new("grown", &[]);
    like_it.template = Some(template.id);
    let grown = catalog.create(like_it).await.unwrap();
    assert_eq!(catalog.by_id(grown.id).await.unwrap().unwrap().template, Some(template.id));
    assert!(catalog.is_template(template.id).await.unwrap() && !catalog.is_template(grown.id).await.unwrap());
    let removed = catalog.remove(template.id).await;
    assert!(matches!(removed, Err(CatalogError::IsTemplate { id }) if id == template.id), "{removed:?}");
    catalog.remove(grown.id).await.unwrap();
    assert!(!catalog.is_template(template.id).await.unwrap());
    catalog.remove(template.id).await.unwrap();
}

async fn pages_are_in_the_order_of_ids(catalog: &dyn Catalog) {
    let all = catalog.page(None, 1000).await.unwrap();
    assert!(all.len() > 10 && all.is_sorted_by_key(|tenant| tenant.id));
    assert_eq!(all.iter().map(|tenant| tenant.id).collect::<BTreeSet<_>>().len(), all.len());
    let mut paged = Vec::<Tenant>::new();
    loop {
        let page = catalog.page(paged.last().map(|tenant| tenant.id), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(catalog.page(None, 0).await.unwrap(), []);
}

async fn changes(catalog: &dyn Catalog, since: i64, limit: u32) -> Vec<Change> {
    catalog.changes(CatalogVersion::new(since), limit).await.unwrap()
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

/// Every change has its entry in the log, and the entries are a chain. The catalog may have been used before.
pub(crate) async fn every_change_is_logged<C: Catalog + Audit>(catalog: &C) {
    let before = catalog.entries(0, AuditFilter::All, 10_000).await.unwrap();
    let logged = before.len();
    let acme = catalog.create(new("logged", &[])).await.unwrap();
    let amendment = Amendment { slug: Some(slug("logged-2")), ..Status::Suspended.into() };
    let amended = catalog.amend(acme.id, &amendment, None).await.unwrap();
    let taken = catalog.create(new("logged", &[])).await;
    assert!(matches!(taken, Err(CatalogError::NameTaken { .. })), "{taken:?}");
    catalog.remove(acme.id).await.unwrap();
    let act = Act::of("alice", "10.0.0.7").because("the customer asked for it");
    let deed = Deed { verb: "impersonated".into(), tenant: None, slug: None, detail: "{}".into() };
    let noted = catalog.note(&act, &deed).await.unwrap();

    let all = catalog.entries(0, AuditFilter::All, 10_000).await.unwrap();
    assert_eq!(all[..logged], before, "what was there stays");
    let deeds: Vec<_> = all[logged..].iter().map(|entry| &entry.deed).collect();
    assert_eq!(deeds, [&Deed::created(&acme), &Deed::amended(&acme, &amended), &Deed::removed(&amended), &deed]);
    assert_eq!(all.last(), Some(&noted));
    assert_eq!((&noted.act, noted.number), (&act, i64::try_from(all.len()).unwrap()));
    let (mut number, mut link) = (0, Link::START);
    for entry in &all {
        entry.follows(number, &link).unwrap();
        (number, link) = (entry.number, entry.link);
    }
    let of = catalog.entries(0, AuditFilter::Of(acme.id), 10).await.unwrap();
    assert_eq!(of, all[logged..logged + 3]);
    let half = all.len() / 2;
    let page = catalog.entries(all[half].number, AuditFilter::All, 2).await.unwrap();
    assert_eq!(page, all[half + 1..][..2]);
}
