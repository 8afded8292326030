//! What settings have to do for two tenants of a deployment.

use std::{collections::HashMap, sync::Arc};

use proptest::{collection::vec, prelude::*, sample::select};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantry_core::SettingChange;
use tenantry_resource::{
    settings::{Secret, SettingRefused, Settings, SettingsError},
    spawn, within,
};

use super::World;

/// Settings of an application.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Own {
    /// A text.
    pub title: String,
    /// Something within something.
    pub page: Page,
    /// Something that is not shown.
    pub token: Secret,
}

/// Settings of pages.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// A number that is never negative.
    pub size: u32,
}

impl Default for Own {
    fn default() -> Self {
        Self { title: "untitled".to_owned(), page: Page::default(), token: Secret::default() }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { size: 20 }
    }
}

/// Settings, as a process makes them when it starts.
pub fn start(world: &World) -> Settings<Own> {
    Settings::new(&Own::default(), Arc::clone(world.admission().mirror()), world.keys().clone()).unwrap()
}

/// Runs all of it but the random changes.
pub async fn settings(world: &World) {
    let (settings, catalog) = (start(world), world.catalog());
    let change = async |name: &str, path: &str, value: Value| {
        let change = SettingChange { path: path.parse().unwrap(), value: Some(value) };
        settings.change(&*catalog, &world.scope(name), vec![change]).await.unwrap();
        world.catch_up().await;
    };
    assert!(matches!(settings.current(), Err(SettingsError::NoScope(_))), "no scope, no answer");
    change("acme", "title", json!("acme's")).await;
    change("globex", "title", json!("globex's")).await;
    change("acme", "token", json!("hush")).await;
    let title = |settings: &Settings<Own>| settings.current().map(|own| own.title.clone());
    for (name, expected) in [("acme", "acme's"), ("globex", "globex's")] {
        let kept = settings.clone();
        let found = within(world.scope(name), async {
            let spawned = spawn(async move { title(&kept).unwrap() }).unwrap();
            (title(&settings).unwrap(), spawned.await.unwrap())
        });
        assert_eq!(found.await, (expected.to_owned(), expected.to_owned()), "also in a task of its own");
    }
    // What a process has ready can be made again by the next one.
    let next = start(world);
    assert_eq!(next.of(&world.scope("acme")).unwrap().token.expose(), "hush");
    assert_eq!(next.of(&world.scope("globex")).unwrap().token.expose(), "", "the other one has none");
    assert_eq!(next.of(&world.scope("globex")).unwrap().title, "globex's");
}

/// What an administrator does to the settings of one of two tenants: `true` is the first.
#[derive(Clone, Debug)]
pub struct Step {
    first: bool,
    path: &'static str,
    value: Option<Value>,
}

/// Changes of two tenants' settings, some of which no application accepts.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let paths = select(&["title", "page.size", "page", "token", "nothing", "page.nothing", "title.more"][..]);
    let values = select(vec![
        json!("a"),
        json!("b\u{0}'\""),
        json!(7),
        json!(-1),
        json!(4_294_967_296_u64),
        json!({ "size": 3 }),
        json!({ "sizes": 3 }),
        json!(true),
    ]);
    let step = (any::<bool>(), paths, prop::option::of(values));
    vec(step.prop_map(|(first, path, value)| Step { first, path, value }), 1..30)
}

/// Takes the steps, and says where what the tenants have differs from two worlds that know nothing of each other.
pub async fn differs(world: &World, steps: &[Step]) -> Option<String> {
    let (settings, catalog) = (start(world), world.catalog());
    let mut alone = [HashMap::<&'static str, Value>::new(), HashMap::new()];
    for (at, Step { first, path, value }) in steps.iter().enumerate() {
        let (name, model) = if *first { ("acme", &mut alone[0]) } else { ("globex", &mut alone[1]) };
        let mut changed = model.clone();
        // What is further in goes with it.
        changed.retain(|other: &&str, _| {
            other.strip_prefix(path).is_none_or(|rest| !rest.is_empty() && !rest.starts_with('.'))
        });
        changed.extend(value.clone().map(|value| (*path, value)));
        let accepted = changed.iter().all(fits);
        let change = SettingChange { path: path.parse().unwrap(), value: value.clone() };
        let answer = settings.change(&*catalog, &world.scope(name), vec![change]).await;
        world.catch_up().await;
        match (&answer, accepted) {
            (Ok(_), true) => *model = changed,
            (Err(SettingRefused::Catalog(error)), _) => return Some(format!("step {at}: {error}")),
            (Err(_), false) => {}
            _ => return Some(format!("step {at}, {path} = {value:?} of {name}: {answer:?}")),
        }
        for (name, model) in [("acme", &alone[0]), ("globex", &alone[1])] {
            let found = settings.of(&world.scope(name)).unwrap();
            if *found != own(model) {
                return Some(format!("step {at}: {name} has {found:?}, not {:?}", own(model)));
            }
        }
    }
    None
}

/// Whether the application accepts that: a path that there is, and a value of its kind.
fn fits((path, value): (&&'static str, &Value)) -> bool {
    match *path {
        "title" | "token" => value.is_string(),
        "page.size" => value.as_u64().is_some_and(|size| u32::try_from(size).is_ok()),
        "page" => value.as_object().is_some_and(|page| page.keys().all(|key| key == "size")),
        _ => false,
    }
}

/// The settings that one tenant has alone.
fn own(model: &HashMap<&'static str, Value>) -> Own {
    let mut own = Own::default();
    let size = |value: &Value| value.as_u64().and_then(|size| u32::try_from(size).ok()).unwrap();
    if let Some(page) = model.get("page").and_then(|page| page.get("size")) {
        own.page.size = size(page);
    }
    for (path, value) in model {
        match (*path, value.as_str()) {
            ("title", Some(title)) => own.title = title.to_owned(),
            ("token", Some(token)) => own.token = Secret::new(token.to_owned()),
            ("page.size", _) => own.page.size = size(value),
            _ => {}
        }
    }
    own
}
