//! Who there is, and an application with a directory.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_core::{SettingChange, Unscoped};
use tenantry_resource::{
    directory::{Directory, DirectorySettings, LocalOptions, LocalUsers, Person, UserStore},
    settings::{SettingRefused, Settings},
};

use crate::resources::World;

/// The login names that both tenants have, with the beginning of each one's password.
pub const PEOPLE: [(&str, &str); 4] = [("ann", "ann"), ("bob", "bob"), ("zoë", "zoë"), (r"a*(b)\c", "star")];

/// The password of somebody.
pub fn password(begins: &str, company: &str) -> String {
    format!("{begins} at {company}")
}

/// Local users whose passwords are cheap to check.
pub fn local(store: Arc<dyn UserStore>) -> LocalUsers {
    let mut options = LocalOptions::default();
    options.hash_memory_kib = 8;
    options.hash_passes = 1;
    LocalUsers::new(store, options).unwrap()
}

/// Gives both tenants their people: the same names, and different passwords and roles.
pub async fn fill(world: &World, local: &LocalUsers) {
    for company in ["acme", "globex"] {
        let only = format!("only{company}");
        for (name, begins) in PEOPLE.into_iter().chain([(only.as_str(), only.as_str())]) {
            let mut person = Person::new(name);
            person.display_name = format!("{name} of {company}");
            person.mail = Some(format!("{begins}@{company}.test"));
            person.roles = match (name, company) {
                ("ann", "acme") => vec!["writer".to_owned(), "admin".to_owned()],
                ("ann", _) => vec!["writer".to_owned(), "reader".to_owned()],
                _ => Vec::new(),
            };
            let scope = world.scope(company);
            let users = local.of(scope.tenant(), Unscoped::because("a test fills the store"));
            users.add(person, &password(begins, company)).await.unwrap();
        }
    }
}

/// The application's settings, of which the directory is a part.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Own {
    directory: DirectorySettings,
}

/// An application with a directory.
#[derive(Debug)]
pub struct Application {
    settings: Settings<Own>,
    /// Its directory.
    pub directory: Directory,
}

impl Application {
    /// An application whose tenants have the local users, until their settings say otherwise.
    pub fn new(world: &World, local: LocalUsers, servers_max: usize) -> Self {
        let mirror = Arc::clone(world.admission().mirror());
        let settings = Settings::new(&Own::default(), mirror, world.keys().clone()).unwrap();
        let admission = Arc::clone(world.admission());
        let directory = Directory::new(settings.clone(), |own: &Own| &own.directory, local, admission, servers_max);
        Self { settings, directory }
    }

    /// Changes a tenant's settings of its directory.
    pub async fn set(&self, world: &World, tenant: &str, changes: &[(&str, Value)]) -> Result<(), SettingRefused> {
        let change = |(name, value): &(&str, Value)| SettingChange {
            path: format!("directory.{name}").parse().unwrap(),
            value: Some(value.clone()),
        };
        let changes = changes.iter().map(change).collect();
        self.settings.change(&*world.catalog(), &world.scope(tenant), changes).await?;
        world.catch_up().await;
        Ok(())
    }
}
