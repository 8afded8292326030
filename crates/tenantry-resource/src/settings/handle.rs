//! Settings as an application reads and changes them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tenantry_core::{Amendment, Catalog, Mirror, Overrides, Revision, Scope, SettingChange, Tenant, TenantId};

use super::{
    error::{SettingRefused, SettingsError},
    layers::{self, Layer, Sourced},
    seal, secret,
};
use crate::{MasterKeys, current};

/// The application's settings for the tenant whose scope is current, as a struct of its own.
///
/// What the struct's fields are by default stands below what the tenant's plan says, that below its template's settings, and
/// these below its own. A request sees the settings of the moment when it was admitted; the next one sees what was changed
/// since, in every process.
///
/// Cloning is cheap, and clones are the same.
pub struct Settings<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    /// What the application begins with, secrets as they are.
    defaults: Value,
    /// The same, without secrets.
    marked: Value,
    mirror: Arc<Mirror>,
    keys: MasterKeys,
    known: RwLock<HashMap<TenantId, Known<T>>>,
}

/// The settings of a tenant, and what they were made of.
struct Known<T> {
    from: From,
    settings: Arc<T>,
}

/// What a tenant's settings are made of: as long as this is the same, they are.
#[derive(Clone, PartialEq)]
struct From {
    tenant: Revision,
    template: Option<(TenantId, Revision)>,
}

/// How many tenants' settings are kept ready.
const KNOWN_MAX: usize = 10_000;

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Settings<T> {
    /// Settings that are `defaults` where nobody has said otherwise.
    ///
    /// # Errors
    ///
    /// When the defaults cannot be written as JSON, for example for a map whose keys are no texts.
    pub fn new(defaults: &T, mirror: Arc<Mirror>, keys: MasterKeys) -> Result<Self, serde_json::Error> {
        let (defaults, marked) = (secret::plain(defaults)?, secret::marked(defaults)?);
        let shared = Shared { defaults, marked, mirror, keys, known: RwLock::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The settings of the tenant that the running task works for.
    ///
    /// # Errors
    ///
    /// [`SettingsError::NoScope`] outside any scope, and whatever [`Settings::of`] answers.
    pub fn current(&self) -> Result<Arc<T>, SettingsError> {
        self.of(&current()?)
    }

    /// The settings of the tenant of `scope`.
    ///
    /// # Errors
    ///
    /// When what is stored is not valid: the tenant is not served with other settings than it has.
    pub fn of(&self, scope: &Scope) -> Result<Arc<T>, SettingsError> {
        let tenant = scope.tenant();
        let template = self.template(tenant);
        let from = From { tenant: tenant.revision, template: template.as_ref().map(|it| (it.id, it.revision)) };
        if let Some(known) = self.read().get(&tenant.id).filter(|known| known.from == from) {
            return Ok(Arc::clone(&known.settings));
        }
        let document = self.document(tenant, &self.layers(scope, template.as_deref()))?;
        let settings = Arc::new(typed(tenant, document)?);
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX && !known.contains_key(&tenant.id) {
            // They are made again in no time.
            known.clear();
        }
        known.insert(tenant.id, Known { from, settings: Arc::clone(&settings) });
        Ok(settings)
    }

    /// Every setting of the tenant of `scope`, with where it is from. Secrets are not shown.
    ///
    /// # Errors
    ///
    /// As [`Settings::of`].
    pub fn sourced(&self, scope: &Scope) -> Result<Vec<Sourced>, SettingsError> {
        let template = self.template(scope.tenant());
        let layers = self.layers(scope, template.as_deref());
        let shown = serde_json::to_value(&*self.of(scope)?).map_err(|error| invalid(scope.tenant(), "", &error))?;
        let layers: Vec<_> = layers.iter().map(|(layer, _, overrides)| (*layer, *overrides)).collect();
        Ok(layers::sourced(&shown, &layers))
    }

    /// Changes settings of the tenant of `scope`, all of them or none. A value of `None` is no longer set for the tenant, so
    /// that what is below stands.
    ///
    /// # Errors
    ///
    /// [`SettingRefused`] says which setting, which value and why; nothing has changed then.
    pub async fn change(
        &self,
        catalog: &dyn Catalog,
        scope: &Scope,
        changes: Vec<SettingChange>,
    ) -> Result<Tenant, SettingRefused> {
        let tenant = scope.tenant();
        let changed = tenant.settings.with(&changes).map_err(tenantry_core::CatalogError::from)?;
        let template = self.template(tenant);
        let mut layers = self.layers(scope, template.as_deref());
        if let Some(own) = layers.iter_mut().find(|(layer, ..)| *layer == Layer::Tenant) {
            own.2 = &changed;
        }
        let document = self.document(tenant, &layers)?;
        let settings: T = typed(tenant, document).map_err(|error| self.refused(error, &changes))?;
        let marked = secret::marked(&settings).map_err(|error| invalid(tenant, "", &error))?;
        let sealed = changes.into_iter().map(|change| self.sealed(tenant.id, change, &marked));
        let sealed: Vec<_> = sealed.collect::<Result<_, _>>()?;
        let amendment = Amendment { settings: sealed, ..Amendment::default() };
        Ok(catalog.amend(tenant.id, &amendment, Some(tenant.revision)).await?)
    }

    /// The change as it is stored.
    fn sealed(&self, id: TenantId, change: SettingChange, marked: &Value) -> Result<SettingChange, SettingRefused> {
        let SettingChange { path, value } = change;
        let Some(value) = value else { return Ok(SettingChange { path, value: None }) };
        let mut at = marked;
        for name in path.names() {
            if secret::is_mark(at) {
                break;
            }
            at = at.get(name).ok_or_else(|| SettingRefused::Unknown { path: path.clone() })?;
        }
        let value = Some(seal::stored(&self.shared.keys, id, &path, value, at)?);
        Ok(SettingChange { path, value })
    }

    /// The refusal of a change, with the value that was given where it can be no secret.
    fn refused(&self, error: SettingsError, changes: &[SettingChange]) -> SettingRefused {
        let SettingsError::Invalid { path, reason, .. } = &error else { return error.into() };
        let about = |change: &&SettingChange| {
            path.starts_with(change.path.as_str()) || change.path.as_str().starts_with(path.as_str())
        };
        let Some(change) = changes.iter().find(about) else { return error.into() };
        let known = layers::at(&self.shared.marked, &change.path);
        let value = match (&change.value, known) {
            (None, _) => "unset".to_owned(),
            (Some(value), Some(Value::Bool(_) | Value::Number(_) | Value::String(_))) => value.to_string(),
            (Some(_), _) => "what was given".to_owned(),
        };
        SettingRefused::Invalid { path: path.clone(), value, reason: reason.clone() }
    }

    /// All layers put together, secrets as they are.
    fn document(&self, tenant: &Tenant, layers: &[Said<'_>]) -> Result<Value, SettingsError> {
        let mut document = self.shared.defaults.clone();
        for (layer, owner, overrides) in layers {
            for (path, value) in overrides.iter() {
                let value = match Overrides::is_sealed(value) {
                    false => value.clone(),
                    true => seal::open(&self.shared.keys, *owner, path, value).ok_or_else(|| {
                        SettingsError::Unopened { tenant: tenant.slug.clone(), path: path.clone(), layer: *layer }
                    })?,
                };
                layers::put(&mut document, path, value);
            }
        }
        Ok(document)
    }

    /// What the layers over the defaults say.
    fn layers<'a>(&self, scope: &'a Scope, template: Option<&'a Tenant>) -> Vec<Said<'a>> {
        let tenant = scope.tenant();
        let template = template.map(|template| (Layer::Template, template.id, &template.settings));
        let plan = (Layer::Plan, tenant.id, &scope.plan().settings);
        let own = (Layer::Tenant, tenant.id, &tenant.settings);
        std::iter::once(plan).chain(template).chain([own]).collect()
    }

    fn template(&self, tenant: &Tenant) -> Option<Arc<Tenant>> {
        tenant.template.and_then(|id| self.shared.mirror.by_id(id))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<TenantId, Known<T>>> {
        self.shared.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a layer says, and for whom its secrets are sealed.
type Said<'a> = (Layer, TenantId, &'a Overrides);

/// The document as the application's struct.
fn typed<T: DeserializeOwned>(tenant: &Tenant, document: Value) -> Result<T, SettingsError> {
    serde_path_to_error::deserialize(document)
        .map_err(|error| invalid(tenant, &error.path().to_string(), error.inner()))
}

fn invalid(tenant: &Tenant, path: &str, error: &serde_json::Error) -> SettingsError {
    let path = if matches!(path, "" | ".") { "a setting" } else { path };
    SettingsError::Invalid { tenant: tenant.slug.clone(), path: path.to_owned(), reason: without_value(error) }
}

/// What serde says, which repeats the value: "invalid type: string \"hush\", expected u16". A secret may be among them.
fn without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (text.split_once(": "), text.rsplit_once(", expected ")) {
        (Some((what, _)), Some((_, expected))) if what.starts_with("invalid") => format!("is not {expected}"),
        _ => text,
    }
}

impl<T> Clone for Settings<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> fmt::Debug for Settings<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}
