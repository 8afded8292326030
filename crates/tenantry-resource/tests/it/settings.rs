//! Settings as an application reads them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry_core::{
    Admission, Change, Limits, Mirror, Overrides, Plan, Plans, Revision, Scope, SettingChange, Tenant, TenantId,
};
use tenantry_resource::{
    MasterKeys,
    settings::{Layer, Secret, Settings, SettingsError},
    within,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    title: String,
    smtp: Smtp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Smtp {
    host: String,
    port: u16,
    password: Secret,
}

fn own() -> Own {
    let smtp = Smtp { host: "localhost".into(), port: 25, password: Secret::new("default".into()) };
    Own { title: "Notes".into(), smtp }
}

struct World {
    settings: Settings<Own>,
    mirror: Arc<Mirror>,
    admission: Admission,
}

const ACME: i64 = 1;
const SEED: i64 = 2;

impl World {
    fn new() -> Self {
        let mirror = Arc::new(Mirror::new());
        let mut plan = Plan::new("default".parse().unwrap(), Limits::NONE);
        plan.settings = overrides(r#"{"smtp.host":"of.the.plan"}"#);
        let admission = Admission::new(Arc::clone(&mirror), Plans::from_iter([plan]));
        let settings = Settings::new(&own(), Arc::clone(&mirror), MasterKeys::generate().unwrap()).unwrap();
        let world = Self { settings, mirror, admission };
        world.tenant(ACME, "acme", "{}", Some(SEED));
        world.tenant(SEED, "seed", "{}", None);
        world
    }

    /// The tenant is now like this.
    fn tenant(&self, id: i64, slug: &str, settings: &str, template: Option<i64>) {
        let mut tenant = Tenant::new(TenantId::new(id), slug.parse().unwrap());
        tenant.settings = overrides(settings);
        tenant.template = template.map(TenantId::new);
        tenant.revision = Revision::new(self.mirror.version().get() + 1);
        self.mirror.apply(Change::Upserted(tenant));
    }

    fn scope(&self) -> Scope {
        self.admission.admit_id(TenantId::new(ACME)).unwrap()
    }

    fn acme(&self) -> Result<Arc<Own>, SettingsError> {
        self.settings.of(&self.scope())
    }
}

fn overrides(json: &str) -> Overrides {
    Overrides::from_json(json).unwrap()
}

#[tokio::test]
async fn what_is_nearer_to_the_tenant_stands_over_what_is_further() {
    let world = World::new();
    let mut expected = own();
    expected.smtp.host = "of.the.plan".into();
    assert_eq!(*world.acme().unwrap(), expected);
    world.tenant(SEED, "seed", r#"{"smtp.host":"of.the.template","smtp.port":26}"#, None);
    (expected.smtp.host, expected.smtp.port) = ("of.the.template".into(), 26);
    assert_eq!(*world.acme().unwrap(), expected);
    world.tenant(ACME, "acme", r#"{"smtp.port":27}"#, Some(SEED));
    expected.smtp.port = 27;
    assert_eq!(*within(world.scope(), async { world.settings.current() }).await.unwrap(), expected);
    let sourced = world.settings.sourced(&world.scope()).unwrap();
    let sourced: Vec<_> = sourced.iter().map(|leaf| (leaf.path.as_str(), leaf.value.clone(), leaf.layer)).collect();
    assert_eq!(
        sourced,
        [
            ("smtp.host", json!("of.the.template"), Layer::Template),
            ("smtp.password", json!("…"), Layer::Default),
            ("smtp.port", json!(27), Layer::Tenant),
            ("title", json!("Notes"), Layer::Default),
        ]
    );
}

#[test]
fn a_request_keeps_the_settings_that_it_was_admitted_with() {
    let world = World::new();
    let before = world.scope();
    world.tenant(ACME, "acme", r#"{"title":"Later"}"#, None);
    assert_eq!(world.settings.of(&before).unwrap().title, "Notes");
    assert_eq!(world.acme().unwrap().title, "Later");
    let kept = world.acme().unwrap();
    assert!(Arc::ptr_eq(&kept, &world.acme().unwrap()), "they are made once");
}

#[test]
fn a_tenant_is_not_served_with_other_settings_than_it_has() {
    let world = World::new();
    for (settings, said) in [
        (r#"{"smtp.port":"hush"}"#, "the settings of tenant acme are not valid: smtp.port is not u16"),
        (r#"{"smtp.port":70000}"#, "the settings of tenant acme are not valid: smtp.port is not u16"),
        (r#"{"smtp":{"port":1}}"#, "the settings of tenant acme are not valid: smtp missing field `host`"),
        (r#"{"tilte":"x"}"#, "the settings of tenant acme are not valid: tilte unknown field `tilte`"),
    ] {
        world.tenant(ACME, "acme", settings, None);
        let error = world.acme().unwrap_err().to_string();
        assert!(error.starts_with(said) && !error.contains("hush"), "{settings}: {error}");
    }
    world.tenant(ACME, "acme", r#"{"smtp.password":{"$sealed":"AAAAAAAA.AAAA"}}"#, None);
    let error = world.acme().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secret smtp.password of tenant acme cannot be opened; set it anew, or bring the master key back"
    );
}

#[tokio::test]
async fn without_a_scope_there_are_no_settings() {
    let world = World::new();
    assert!(matches!(world.settings.current(), Err(SettingsError::NoScope(_))));
    let change = SettingChange { path: "title".parse().unwrap(), value: Some(json!("x")) };
    assert!(!format!("{:?} {:?}", world.settings, change).contains('x'));
}
