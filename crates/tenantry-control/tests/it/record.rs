//! The verbs that change nothing but a record, against the table in their documentation.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tenantry_control::{Changed, Control, Deleted, Former, VerbError};
use tenantry_core::{Catalog, CatalogError, Code, Limits, NewTenant, Plan, Plans, Slug, Status, Tenant};
use tenantry_sqlx::{OpenOptions, SqliteCatalog};
use tokio::task::JoinSet;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    Active,
    Suspended,
    Expired,
    /// By the clock.
    Over,
    Deleting,
    Provisioning,
}

const ALL: [Was; 6] = [Was::Active, Was::Suspended, Was::Expired, Was::Over, Was::Deleting, Was::Provisioning];

struct World {
    catalog: Arc<SqliteCatalog>,
    control: Control,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenantry.db");
        let catalog = SqliteCatalog::open(path, OpenOptions::create_if_missing()).await.unwrap();
        let catalog = Arc::new(catalog);
        let plans: Plans = [Plan::new("gold".parse().unwrap(), Limits::default())].into_iter().collect();
        Self { control: Control::new(Arc::clone(&catalog), plans), catalog, _folder: folder }
    }

    async fn tenant(&self, was: Was) -> Tenant {
        let mut new = NewTenant::new(slug(&format!("{was:?}").to_lowercase()));
        new.trial = true;
        let now = SystemTime::now();
        new.expires_at = Some(if was == Was::Over { now - DAY } else { now + DAY });
        new.status = match was {
            Was::Active | Was::Over => Status::Active,
            Was::Suspended => Status::Suspended,
            Was::Expired => Status::Expired,
            Was::Deleting => Status::Deleting,
            Was::Provisioning => Status::Provisioning,
        };
        self.catalog.create(new).await.unwrap()
    }
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

/// Does a verb to a tenant in every state. Says for each what it is afterwards, or why it was refused.
async fn table(verb: impl AsyncFn(&Control, &Slug) -> Result<Changed, VerbError>) -> Vec<(Was, Result<Tenant, Code>)> {
    let world = World::new().await;
    let mut outcomes = Vec::new();
    for was in ALL {
        let tenant = world.tenant(was).await;
        let done = verb(&world.control, &tenant.slug).await;
        let after = world.catalog.by_id(tenant.id).await.unwrap().unwrap();
        outcomes.push((
            was,
            match done {
                Ok(done) => {
                    assert_eq!((&done.tenant, done.changed), (&after, after != tenant), "{was:?}");
                    let again = verb(&world.control, &after.slug).await.unwrap();
                    assert!(again.tenant == after || again.tenant.expires_at > after.expires_at, "{was:?}: {again:?}");
                    Ok(after)
                }
                Err(error) => {
                    assert_eq!(after, tenant, "{was:?}");
                    Err(error.code())
                }
            },
        ));
    }
    outcomes
}

fn statuses(outcomes: Vec<(Was, Result<Tenant, Code>)>) -> [Result<Status, Code>; 6] {
    let statuses: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome.map(|it| it.status_now())).collect();
    statuses.try_into().unwrap()
}

#[tokio::test]
async fn suspend_and_resume() {
    use Status::{Active, Suspended};

    let suspended = table(async |control, tenant| control.suspend(tenant).await).await;
    let [deleting, provisioning] = [Code::TenantDeleting, Code::TenantProvisioning].map(Err);
    let on = Ok(Suspended);
    assert_eq!(statuses(suspended), [on, on, on, on, deleting, provisioning]);
    let resumed = table(async |control, tenant| control.resume(tenant, Deleted::Perhaps).await).await;
    let (on, over) = (Ok(Active), Err(Code::TenantExpired));
    assert_eq!(statuses(resumed), [on, on, on, over, deleting, provisioning]);
    let resumed = table(async |control, tenant| control.resume(tenant, Deleted::NotYet).await).await;
    assert_eq!(statuses(resumed), [on, on, on, over, on, provisioning]);
}

#[tokio::test]
async fn extend_and_expire() {
    use Status::{Active, Expired, Provisioning, Suspended};

    let [deleting, provisioning] = [Code::TenantDeleting, Code::TenantProvisioning].map(Err);
    let begun = SystemTime::now();
    let extended = table(async |control, tenant| control.extend(tenant, 3 * DAY).await).await;
    for (was, outcome) in &extended {
        let Ok(tenant) = outcome else { continue };
        let more = tenant.expires_at.unwrap().duration_since(begun).unwrap();
        let from = if *was == Was::Over { 3 * DAY } else { 4 * DAY };
        assert!(more >= from - Duration::from_millis(1) && more < from + DAY, "{was:?}: {more:?}");
    }
    let on = Ok(Active);
    assert_eq!(statuses(extended), [on, Ok(Suspended), on, on, deleting, Ok(Provisioning)]);
    let expired = table(async |control, tenant| control.expire(tenant).await).await;
    let over = Ok(Expired);
    assert_eq!(statuses(expired), [over, Ok(Suspended), over, over, deleting, provisioning]);
}

#[tokio::test]
async fn who_never_expires_has_no_end_to_be_moved() {
    let world = World::new().await;
    let acme = world.catalog.create(NewTenant::new(slug("acme"))).await.unwrap();
    let extended = world.control.extend(&acme.slug, DAY).await.unwrap();
    assert_eq!(extended, Changed { changed: false, tenant: acme.clone() });
    let expired = world.control.expire(&acme.slug).await.unwrap();
    assert_eq!(expired.tenant.status_now(), Status::Expired);
    let extended = world.control.extend(&acme.slug, DAY).await.unwrap();
    assert_eq!(extended.tenant.status_now(), Status::Active);
    for longer in [Duration::MAX, 9000 * 365 * DAY] {
        let endless = world.control.extend(&acme.slug, longer).await;
        assert!(matches!(endless, Err(VerbError::TooLong { .. })), "{endless:?}");
    }
}

#[tokio::test]
async fn a_trial_becomes_a_customer() {
    use Status::{Active, Provisioning, Suspended};

    let plan = "gold".parse().unwrap();
    let promoted = table(async |control, tenant| control.promote(tenant, &plan).await).await;
    for (was, outcome) in &promoted {
        let Ok(tenant) = outcome else { continue };
        assert_eq!((tenant.plan.as_str(), tenant.expires_at, tenant.trial), ("gold", None, false), "{was:?}");
    }
    let on = Ok(Active);
    let refused = Err(Code::TenantDeleting);
    assert_eq!(statuses(promoted), [on, Ok(Suspended), on, on, refused, Ok(Provisioning)]);

    let world = World::new().await;
    let acme = world.catalog.create(NewTenant::new(slug("acme"))).await.unwrap();
    let error = world.control.promote(&acme.slug, &"silver".parse().unwrap()).await.unwrap_err();
    let VerbError::PlanUnknown { plan, known } = error else { panic!("{error}") };
    let known: Vec<_> = known.iter().map(|plan| plan.as_str()).collect();
    assert_eq!((plan.as_str(), known), ("silver", vec!["gold"]));
}

#[tokio::test]
async fn a_name_changes_and_is_kept_or_freed() {
    let world = World::new().await;
    let acme = world.catalog.create(NewTenant::new(slug("acme"))).await.unwrap();
    world.catalog.create(NewTenant::new(slug("globex"))).await.unwrap();
    let [inc, corp] = ["acme-inc", "acme-corp"].map(slug);
    let renamed = world.control.rename(&acme.slug, &inc, Former::Kept).await.unwrap().tenant;
    assert_eq!((&renamed.slug, renamed.aliases.as_slice()), (&inc, [acme.slug.clone()].as_slice()));
    // By the alias, and the alias stays.
    let renamed = world.control.rename(&acme.slug, &corp, Former::Freed).await.unwrap().tenant;
    assert_eq!((&renamed.slug, renamed.aliases.as_slice()), (&corp, [acme.slug.clone()].as_slice()));
    assert_eq!(world.catalog.by_slug(&inc).await.unwrap(), None);
    let taken = world.control.rename(&corp, &slug("globex"), Former::Kept).await;
    assert!(matches!(taken, Err(VerbError::Catalog(CatalogError::NameTaken { .. }))), "{taken:?}");
    let nobody = world.control.rename(&inc, &slug("new"), Former::Kept).await;
    assert!(matches!(nobody, Err(VerbError::Unknown { .. })), "{nobody:?}");
}

#[tokio::test]
async fn nothing_is_lost_when_many_change_one_record() {
    let world = World::new().await;
    let tenant = world.tenant(Was::Active).await;
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let (control, slug) = (world.control.clone(), tenant.slug.clone());
        all.spawn(async move { control.extend(&slug, DAY).await.unwrap() });
    }
    assert!(all.join_all().await.iter().all(|one| one.changed));
    let after = world.catalog.by_id(tenant.id).await.unwrap().unwrap();
    assert_eq!(after.expires_at.unwrap().duration_since(tenant.expires_at.unwrap()).unwrap(), 8 * DAY);
}
