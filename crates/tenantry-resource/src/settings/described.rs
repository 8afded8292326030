//! Which settings an application has, for tools that do not know its struct.

use serde::Serialize;
use serde_json::Value;
use tenantry_core::{Overrides, SettingChange, SettingPath, TenantId};

use super::{
    error::SettingRefused,
    layers::{self, Layer, Sourced},
    seal, secret,
};
use crate::MasterKeys;

/// Which settings an application has, as it tells the catalog when it starts: its defaults, with marks where secrets are.
///
/// Tools that do not know the application's struct go by it. What they accept is of the same kind as the default; whether the
/// application accepts it too, in a range for instance, only the application knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described(Value);

/// What is set for a tenant itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Drifted {
    /// Which setting.
    pub path: String,
    /// What it is for this tenant. A secret is not shown.
    pub value: Value,
    /// What it would be if it were not set; nothing where there is no such setting.
    pub below: Option<Value>,
    /// Why the application cannot use it, if that is so.
    pub problem: Option<String>,
}

impl Described {
    /// The settings whose defaults these are.
    ///
    /// # Errors
    ///
    /// When the defaults cannot be written as JSON.
    pub fn new(defaults: &impl Serialize) -> Result<Self, serde_json::Error> {
        secret::marked(defaults).map(Self)
    }

    /// As the catalog keeps it.
    pub fn to_json(&self) -> String {
        self.0.to_string()
    }

    /// What [`Described::to_json`] has written.
    ///
    /// # Errors
    ///
    /// When it is no JSON.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }

    /// The change as it is stored: a secret is sealed.
    ///
    /// # Errors
    ///
    /// [`SettingRefused`] when there is no such setting, or the value is of another kind.
    pub fn accept(
        &self,
        keys: &MasterKeys,
        tenant: TenantId,
        change: SettingChange,
    ) -> Result<SettingChange, SettingRefused> {
        let SettingChange { path, value } = change;
        // What is there no longer can still be unset.
        let Some(value) = value else { return Ok(SettingChange { path, value: None }) };
        let Some(place) = self.place(&path) else { return Err(SettingRefused::Unknown { path }) };
        let stored = seal::stored(keys, tenant, &path, value, place)?;
        // A secret may be of any kind; anything else is stored as it is.
        match another_kind(&stored, place).filter(|_| !secret::is_mark(place)) {
            Some(reason) => Err(SettingRefused::Invalid { path: path.to_string(), value: stored.to_string(), reason }),
            None => Ok(SettingChange { path, value: Some(stored) }),
        }
    }

    /// Whether nothing but a text can be there.
    pub fn is_text(&self, path: &SettingPath) -> bool {
        self.place(path).is_some_and(|place| place.is_string() || secret::is_mark(place))
    }

    /// Every setting, with where it is from. Secrets are not shown.
    pub fn sourced(&self, plan: &Overrides, template: Option<&Overrides>, tenant: &Overrides) -> Vec<Sourced> {
        let layers = all(plan, template, tenant);
        let mut leaves = layers::sourced(&self.document(&layers), &layers);
        leaves.iter_mut().for_each(|leaf| secret::hide(&mut leaf.value));
        leaves
    }

    /// What is set for a tenant itself, with what it would be otherwise, and whether the application can use it.
    pub fn drift(
        &self,
        keys: &MasterKeys,
        id: TenantId,
        plan: &Overrides,
        template: Option<&Overrides>,
        tenant: &Overrides,
    ) -> Vec<Drifted> {
        let below = self.document(&all(plan, template, &Overrides::default()));
        let drifted = tenant.iter().map(|(path, value)| {
            let place = self.place(path);
            let problem = match place {
                None => Some("there is no such setting".to_owned()),
                Some(place) if secret::is_mark(place) => {
                    let is_open = seal::open(keys, id, path, value).is_some();
                    (!is_open).then(|| "the secret cannot be opened".to_owned())
                }
                Some(place) => another_kind(value, place),
            };
            let shown = |value: &Value| {
                let mut value = seal::marked(value);
                secret::hide(&mut value);
                value
            };
            let below = layers::at(&below, path).map(shown);
            Drifted { path: path.to_string(), value: shown(value), below, problem }
        });
        drifted.collect()
    }

    /// All layers put together, with marks in the place of secrets.
    fn document(&self, layers: &[(Layer, &Overrides)]) -> Value {
        let mut document = self.0.clone();
        for (path, value) in layers.iter().flat_map(|(_, overrides)| overrides.iter()) {
            layers::put(&mut document, path, seal::marked(value));
        }
        document
    }

    /// What is at a path by default; `null` where anything may be.
    fn place(&self, path: &SettingPath) -> Option<&Value> {
        const ANYTHING: &Value = &Value::Null;
        let mut at = &self.0;
        for name in path.names() {
            at = match at {
                Value::Null => ANYTHING,
                mark if secret::is_mark(mark) => return Some(mark),
                // A map with nothing in it may have anything.
                Value::Object(object) if object.is_empty() => ANYTHING,
                Value::Object(object) => object.get(name)?,
                _ => return None,
            };
        }
        Some(at)
    }
}

fn all<'a>(plan: &'a Overrides, template: Option<&'a Overrides>, tenant: &'a Overrides) -> Vec<(Layer, &'a Overrides)> {
    let template = template.map(|template| (Layer::Template, template));
    std::iter::once((Layer::Plan, plan)).chain(template).chain([(Layer::Tenant, tenant)]).collect()
}

/// Why a value cannot be where the default is another one.
fn another_kind(value: &Value, default: &Value) -> Option<String> {
    let kind = |value: &Value| match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let fits = match (value, default) {
        (_, Value::Null) => true,
        (Value::Number(value), Value::Number(default)) => default.is_f64() || !value.is_f64(),
        (value, default) => std::mem::discriminant(value) == std::mem::discriminant(default),
    };
    (!fits).then(|| format!("it is {}", kind(default)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::Secret;

    #[derive(Serialize)]
    struct Own {
        title: &'static str,
        port: u16,
        rate: f64,
        password: Secret,
        labels: std::collections::BTreeMap<String, String>,
        note: Option<String>,
    }

    fn described() -> Described {
        let password = Secret::new("default".to_owned());
        let own = Own { title: "Notes", port: 25, rate: 0.5, password, labels: Default::default(), note: None };
        Described::from_json(&Described::new(&own).unwrap().to_json()).unwrap()
    }

    fn overrides(json: &str) -> Overrides {
        Overrides::from_json(json).unwrap()
    }

    #[test]
    fn what_is_of_another_kind_is_refused() {
        let keys = MasterKeys::generate().unwrap();
        let accept = |path: &str, value: Value| {
            let change = SettingChange { path: path.parse().unwrap(), value: Some(value) };
            described().accept(&keys, TenantId::new(1), change).map(|change| change.value.unwrap())
        };
        for (path, value) in [
            ("title", json!("x")),
            ("port", json!(26)),
            ("rate", json!(1)),
            ("labels.any", json!("x")),
            ("labels", json!({})),
            ("note", json!("x")),
        ] {
            assert_eq!(accept(path, value.clone()).unwrap(), value, "{path}");
        }
        for (path, value, said) in [
            ("titel", json!("x"), "there is no setting titel"),
            ("title.more", json!("x"), "there is no setting title.more"),
            ("port", json!("26"), "port cannot be \"26\": it is a whole number"),
            ("port", json!(2.5), "port cannot be 2.5: it is a whole number"),
            ("title", json!(null), "title cannot be null: it is a text"),
            ("labels", json!([]), "labels cannot be []: it is an object"),
        ] {
            assert_eq!(accept(path, value).unwrap_err().to_string(), said);
        }
        let sealed = accept("password", json!("hush")).unwrap();
        assert!(Overrides::is_sealed(&sealed) && !sealed.to_string().contains("hush"));
    }

    #[test]
    fn drift_is_what_is_set_for_the_tenant_itself() {
        let (keys, acme) = (MasterKeys::generate().unwrap(), TenantId::new(1));
        let (plan, template) = (overrides(r#"{"port":26}"#), overrides(r#"{"title":"Seed"}"#));
        let sealed = seal::seal(&keys, acme, &"password".parse().unwrap(), &json!("hush")).unwrap();
        let text = format!(r#"{{"port":27,"title":3,"gone":1,"password":{sealed}}}"#);
        let drift = described().drift(&keys, acme, &plan, Some(&template), &overrides(&text));
        let drift = serde_json::to_value(drift).unwrap();
        assert_eq!(
            drift,
            json!([
                { "path": "gone", "value": 1, "below": null, "problem": "there is no such setting" },
                { "path": "password", "value": "…", "below": "…", "problem": null },
                { "path": "port", "value": 27, "below": 26, "problem": null },
                { "path": "title", "value": 3, "below": "Seed", "problem": "it is a text" },
            ])
        );
        let other = described().drift(&MasterKeys::generate().unwrap(), acme, &plan, None, &overrides(&text));
        assert_eq!(other[1].problem.as_deref(), Some("the secret cannot be opened"));
    }
}
