//! Whatever is done to a catalog, it and its mirror show what a plain list of tenants shows.

use std::sync::Arc;

use proptest::{prelude::*, test_runner::TestCaseResult};
use tenantry_core::{Amendment, Catalog, CatalogError, Mirror, SettingChange, Status, Tenant, TenantId};
use tenantry_sqlx::{FollowOptions, Follower};

#[cfg(feature = "postgres")]
use crate::pg_catalog::open;
use crate::{Home, new};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn catalog_and_mirror_show_what_was_done(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_sqlite(steps))?;
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn catalog_and_mirror_show_what_was_done_in_postgres(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_postgres(steps))?;
    }
}

#[derive(Clone, Debug)]
enum Step {
    CatchUp,
    Create { slug: usize, aliases: Vec<usize>, by: usize },
    Remove { nth: usize, by: usize },
    SetStatus { nth: usize, status: Status, by: usize },
    Rename { nth: usize, slug: usize, removed: Option<usize>, by: usize },
    Configure { nth: usize, path: usize, value: Option<i32>, by: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    let by = 0..2_usize;
    prop_oneof![
        2 => Just(Step::CatchUp),
        4 => (name.clone(), prop::collection::vec(name, 0..3), by.clone())
            .prop_map(|(slug, aliases, by)| Step::Create { slug, aliases, by }),
        2 => (0..8_usize, by.clone()).prop_map(|(nth, by)| Step::Remove { nth, by }),
        3 => (0..8_usize, 0..NAMES.len(), prop::option::of(0..NAMES.len()), by.clone())
            .prop_map(|(nth, slug, removed, by)| Step::Rename { nth, slug, removed, by }),
        3 => (0..8_usize, 0..PATHS.len(), any::<Option<i32>>(), by.clone())
            .prop_map(|(nth, path, value, by)| Step::Configure { nth, path, value, by }),
        3 => (0..8_usize, prop::sample::select(Status::ALL.to_vec()), by)
            .prop_map(|(nth, status, by)| Step::SetStatus { nth, status, by }),
    ]
}

async fn on_sqlite(steps: Vec<Step>) -> TestCaseResult {
    let home = Home::new();
    let (one, other) = (Arc::new(home.open().await), home.open().await);
    let follower = one.follow(Arc::new(Mirror::new()), FollowOptions::default()).await.unwrap();
    run(steps, [&*one, &other], &follower).await
}

#[cfg(feature = "postgres")]
async fn on_postgres(steps: Vec<Step>) -> TestCaseResult {
    let database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let (one, other) = (Arc::new(open(&database).await), open(&database).await);
    let follower = one.follow(Arc::new(Mirror::new()), FollowOptions::default()).await.unwrap();
    run(steps, [&*one, &other], &follower).await
}

async fn run(steps: Vec<Step>, catalogs: [&dyn Catalog; 2], follower: &Follower) -> TestCaseResult {
    let mirror = follower.mirror();
    let mut model = Vec::new();
    for step in steps {
        match step {
            Step::CatchUp => {
                follower.catch_up().await.unwrap();
                same(mirror, &model)?;
            }
            Step::Create { slug, aliases, by } => create(catalogs[by], &mut model, slug, &aliases).await?,
            Step::Remove { nth, by } => {
                let Some(id) = nth_id(&model, nth) else { continue };
                catalogs[by].remove(id).await.unwrap();
                model.retain(|tenant| tenant.id != id);
                let again = catalogs[by].remove(id).await;
                prop_assert!(matches!(again, Err(CatalogError::NotFound { .. })), "removed twice");
            }
            Step::Configure { nth, path, value, by } => {
                let Some(id) = nth_id(&model, nth) else { continue };
                let known = model.iter_mut().find(|tenant| tenant.id == id).unwrap();
                let change = SettingChange { path: PATHS[path].parse().unwrap(), value: value.map(Into::into) };
                let amendment = Amendment { settings: vec![change], ..Amendment::default() };
                let after = catalogs[by].amend(id, &amendment, Some(known.revision)).await.unwrap();
                known.settings = known.settings.with(&amendment.settings).unwrap();
                known.revision = after.revision;
                prop_assert_eq!(&after, &*known);
            }
            Step::Rename { nth, slug, removed, by } => {
                let Some(id) = nth_id(&model, nth) else { continue };
                let name = |nth: usize| NAMES[nth].parse().unwrap();
                let amendment = Amendment {
                    slug: Some(name(slug)),
                    aliases_removed: removed.map(name).into_iter().collect(),
                    ..Amendment::default()
                };
                let taken = model.iter().any(|tenant| tenant.id != id && names(tenant).any(|it| it == NAMES[slug]));
                let known = model.iter_mut().find(|tenant| tenant.id == id).unwrap();
                match catalogs[by].amend(id, &amendment, Some(known.revision)).await {
                    Ok(after) => {
                        prop_assert!(!taken);
                        let mut amended = amendment.of(known).unwrap();
                        amended.revision = after.revision;
                        *known = amended;
                        prop_assert_eq!(&after, &*known);
                    }
                    Err(error) => prop_assert!(taken && matches!(error, CatalogError::NameTaken { .. }), "{error}"),
                }
            }
            Step::SetStatus { nth, status, by } => {
                let Some(id) = nth_id(&model, nth) else { continue };
                let after = catalogs[by].set_status(id, status).await.unwrap();
                let known = model.iter_mut().find(|tenant| tenant.id == id).unwrap();
                (known.status, known.revision) = (status, after.revision);
                prop_assert_eq!(&after, &*known);
            }
        }
        prop_assert_eq!(&catalogs[1].page(None, 100).await.unwrap(), &model);
    }
    follower.catch_up().await.unwrap();
    same(mirror, &model)
}

async fn create(catalog: &dyn Catalog, model: &mut Vec<Tenant>, slug: usize, aliases: &[usize]) -> TestCaseResult {
    let aliases: Vec<_> = aliases.iter().map(|&name| NAMES[name]).collect();
    let taken = |name: &str| model.iter().any(|tenant| names(tenant).any(|known| known == name));
    let free = !taken(NAMES[slug]) && !aliases.iter().any(|alias| taken(alias));
    match catalog.create(new(NAMES[slug], &aliases)).await {
        Ok(tenant) => {
            prop_assert!(free && model.iter().all(|known| known.id < tenant.id));
            model.push(tenant);
        }
        Err(CatalogError::NameTaken { slug }) => prop_assert!(!free && taken(slug.as_str())),
        Err(other) => prop_assert!(false, "{}", other),
    }
    Ok(())
}

fn same(mirror: &Mirror, model: &[Tenant]) -> TestCaseResult {
    prop_assert_eq!(mirror.len(), model.len());
    for tenant in model {
        let known = mirror.by_id(tenant.id);
        prop_assert_eq!(known.as_deref(), Some(tenant));
    }
    for name in NAMES {
        let owner = model.iter().find(|tenant| names(tenant).any(|known| known == name));
        let known = mirror.by_slug(&name.parse().unwrap());
        prop_assert_eq!(known.as_deref(), owner, "{}", name);
    }
    Ok(())
}

fn nth_id(model: &[Tenant], nth: usize) -> Option<TenantId> {
    model.get(nth % model.len().max(1)).map(|tenant| tenant.id)
}

fn names(tenant: &Tenant) -> impl Iterator<Item = &str> {
    std::iter::once(&tenant.slug).chain(&tenant.aliases).map(AsRef::as_ref)
}

const PATHS: [&str; 5] = ["a", "a.b", "a.b.c", "ab", "z"];

const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
