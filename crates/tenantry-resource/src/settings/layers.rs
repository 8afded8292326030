//! What stands over what, and where a value is from.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_core::{Overrides, SettingPath};

/// Where the value of a setting is from. A later one stands over an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Layer {
    /// From the application.
    Default,
    /// From the tenant's plan.
    Plan,
    /// From the tenant's template.
    Template,
    /// From the tenant itself.
    Tenant,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Default => "default",
            Self::Plan => "plan",
            Self::Template => "template",
            Self::Tenant => "tenant",
        })
    }
}

/// A setting with where it is from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sourced {
    /// Which setting, as `mail.smtp.port`.
    pub path: String,
    /// What it is. A secret is not shown.
    pub value: Value,
    /// Which layer says so.
    pub layer: Layer,
}

/// Puts a value where a path says. What is in the way makes room.
pub(super) fn put(document: &mut Value, path: &SettingPath, value: Value) {
    let mut at = document;
    for name in path.names() {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(object) = at else { return };
        at = object.entry(name).or_insert(Value::Null);
    }
    *at = value;
}

/// What is at a path.
pub(super) fn at<'a>(document: &'a Value, path: &SettingPath) -> Option<&'a Value> {
    path.names().try_fold(document, |at, name| at.as_object()?.get(name))
}

/// The leaves of a document of settings, each with the topmost layer that has said something about it.
pub(super) fn sourced(document: &Value, layers: &[(Layer, &Overrides)]) -> Vec<Sourced> {
    let mut leaves = Vec::new();
    walk(document, &mut Vec::new(), &mut |names, value| {
        let path = names.join(".");
        let says = |overrides: &Overrides| overrides.iter().any(|(set, _)| set.includes(&path));
        let layer =
            layers.iter().rev().find(|(_, overrides)| says(overrides)).map_or(Layer::Default, |(layer, _)| *layer);
        leaves.push(Sourced { path, value: value.clone(), layer });
    });
    leaves
}

fn walk<'a>(value: &'a Value, names: &mut Vec<&'a str>, leaf: &mut impl FnMut(&[&str], &Value)) {
    match value {
        Value::Object(object) if !object.is_empty() && !super::secret::is_mark(value) => {
            for (name, value) in object {
                names.push(name);
                walk(value, names, leaf);
                names.pop();
            }
        }
        _ => leaf(names, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_put_where_its_path_says() {
        let mut document = json!({ "a": { "b": 1 }, "c": 2 });
        for (path, value) in [("a.d", json!(3)), ("c.e.f", json!(4)), ("a.b", json!([5])), ("g", json!(null))] {
            put(&mut document, &path.parse().unwrap(), value);
        }
        assert_eq!(document, json!({ "a": { "b": [5], "d": 3 }, "c": { "e": { "f": 4 } }, "g": null }));
        assert_eq!(at(&document, &"c.e".parse().unwrap()), Some(&json!({ "f": 4 })));
        assert_eq!(at(&document, &"a.b.x".parse().unwrap()), None);
    }

    #[test]
    fn the_topmost_layer_that_says_something_is_the_source() {
        let overrides = |json| Overrides::from_json(json).unwrap();
        let (plan, template, tenant) =
            (overrides(r#"{"a":{},"c":1}"#), overrides(r#"{"a.b":1}"#), overrides(r#"{"c":2}"#));
        let document = json!({ "a": { "b": 1, "d": 2 }, "ab": 1, "c": 2, "e": {} });
        let layers = [(Layer::Plan, &plan), (Layer::Template, &template), (Layer::Tenant, &tenant)];
        let found: Vec<_> = sourced(&document, &layers).into_iter().map(|leaf| (leaf.path, leaf.layer)).collect();
        let expected = [
            ("a.b", Layer::Template),
            ("a.d", Layer::Plan),
            ("ab", Layer::Default),
            ("c", Layer::Tenant),
            ("e", Layer::Default),
        ];
        assert_eq!(found, expected.map(|(path, layer)| (path.to_owned(), layer)));
    }
}
