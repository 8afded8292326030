//! What is set for one tenant: values by their paths.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use serde_json::Value;
use thiserror::Error;

/// Where a setting is: names with dots between, such as `mail.smtp.port`.
///
/// A name has letters, digits, `_` and `-` (of ASCII). At most 8 names and 200 bytes.
///
/// ```
/// use tenantry_core::SettingPath;
///
/// let port: SettingPath = "mail.smtp.port".parse()?;
/// assert_eq!(port.names().collect::<Vec<_>>(), ["mail", "smtp", "port"]);
/// assert!("mail..port".parse::<SettingPath>().is_err());
/// # Ok::<(), tenantry_core::SettingPathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettingPath(Arc<str>);

impl SettingPath {
    /// The most names that a path may have.
    pub const NAMES_MAX: usize = 8;

    /// The most bytes that a path may have.
    pub const BYTES_MAX: usize = 200;

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its names, from the outermost to the innermost.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether what is at `self` includes what is at `other`: they are the same, or it is further in.
    pub fn includes(&self, other: impl AsRef<str>) -> bool {
        let rest = other.as_ref().strip_prefix(&*self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl AsRef<str> for SettingPath {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for SettingPath {
    type Err = SettingPathError;

    fn from_str(text: &str) -> Result<Self, SettingPathError> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_plain);
        let fits = text.len() <= Self::BYTES_MAX && text.split('.').count() <= Self::NAMES_MAX;
        if fits && text.split('.').all(is_name) { Ok(Self(text.into())) } else { Err(SettingPathError(())) }
    }
}

impl fmt::Display for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingPath({self})")
    }
}

/// A text that is no [`SettingPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a setting is named like mail.smtp.port: up to 8 names of letters, digits, _ and -, with dots between")]
pub struct SettingPathError(());

/// What is set for one tenant and stands over what it would have otherwise: values by their paths, in JSON.
///
/// Cloning is cheap. `Debug` shows the paths alone: a value may be a secret.
#[derive(Clone, Default, PartialEq)]
pub struct Overrides(Option<Arc<BTreeMap<SettingPath, Value>>>);

impl Overrides {
    /// The most bytes that all of a tenant's values may have, written as JSON, together with their paths: they are kept in
    /// the memory of every process.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// The key of the object that stands for a sealed value.
    pub const SEALED: &str = "$sealed";

    /// What is set at exactly this path.
    pub fn get(&self, path: &SettingPath) -> Option<&Value> {
        self.0.as_ref()?.get(path)
    }

    /// All that is set, in the order of the paths, so that what includes another comes first.
    pub fn iter(&self) -> impl Iterator<Item = (&SettingPath, &Value)> {
        self.0.iter().flat_map(|map| map.iter())
    }

    /// Whether a value is a secret, which is sealed for the one tenant for which it is set: an object whose only key is
    /// [`Overrides::SEALED`].
    pub fn is_sealed(value: &Value) -> bool {
        value
            .as_object()
            .is_some_and(|object| object.len() == 1 && object.get(Self::SEALED).is_some_and(Value::is_string))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |map| map.len())
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The same with these changes made, one after the other.
    ///
    /// # Errors
    ///
    /// When there would be more than [`Overrides::BYTES_MAX`].
    pub fn with(&self, changes: &[SettingChange]) -> Result<Self, OverridesTooLarge> {
        let mut map: BTreeMap<_, _> = self.iter().map(|(path, value)| (path.clone(), value.clone())).collect();
        for SettingChange { path, value } in changes {
            // What is further in would be over what is set now.
            map.retain(|other, _| !path.includes(other));
            if let Some(value) = value {
                map.insert(path.clone(), value.clone());
            }
        }
        let bytes = map.iter().map(|(path, value)| path.as_str().len() + value.to_string().len()).sum();
        if bytes > Self::BYTES_MAX { Err(OverridesTooLarge { bytes }) } else { Ok(map.into_iter().collect()) }
    }

    /// As it is stored: an object whose keys are the paths.
    pub fn to_json(&self) -> String {
        let object = self.iter().map(|(path, value)| (path.as_str().to_owned(), value.clone()));
        Value::Object(object.collect()).to_string()
    }

    /// What [`Overrides::to_json`] has written. The error says what is wrong, without a value.
    ///
    /// # Errors
    ///
    /// When the text is no object whose keys are paths.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
            return Err("it is no object in JSON".to_owned());
        };
        let entry = |(path, value): (String, Value)| path.parse().map(|path| (path, value));
        object.into_iter().map(entry).collect::<Result<_, _>>().map_err(|error: SettingPathError| error.to_string())
    }
}

// JSON has no NaN, so that a value is equal to itself.
impl Eq for Overrides {}

impl FromIterator<(SettingPath, Value)> for Overrides {
    fn from_iter<I: IntoIterator<Item = (SettingPath, Value)>>(entries: I) -> Self {
        let map: BTreeMap<_, _> = entries.into_iter().collect();
        Self((!map.is_empty()).then(|| Arc::new(map)))
    }
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(path, _)| path.as_str())).finish()
    }
}

/// A change to what is set for a tenant.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// What is changed. Whatever is set further in is no longer.
    pub path: SettingPath,
    /// What it is from now on; nothing when it is no longer set.
    pub value: Option<Value>,
}

impl fmt::Debug for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = self.value.is_some();
        f.debug_struct("SettingChange").field("path", &self.path).field("is_set", &is_set).finish()
    }
}

/// More is set for a tenant than every process should have to remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a tenant's settings would have {bytes} bytes, and {} is the most; keep what is large in uploads or in the database",
    Overrides::BYTES_MAX
)]
pub struct OverridesTooLarge {
    /// How many they would have.
    pub bytes: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> SettingPath {
        text.parse().unwrap()
    }

    fn set(at: &str, value: Value) -> SettingChange {
        SettingChange { path: path(at), value: Some(value) }
    }

    #[test]
    fn a_path_is_names_with_dots_between() {
        for text in ["a", "mail.smtp.port", "A-b_9.c", &"a.".repeat(7).add_a()] {
            assert_eq!(path(text).as_str(), text);
        }
        for text in ["", ".", "a.", ".a", "a..b", "a b", "ä", "a.b/c", &"a.".repeat(8).add_a(), &"a".repeat(201)] {
            assert!(text.parse::<SettingPath>().is_err(), "{text}");
        }
    }

    trait AddA {
        fn add_a(&self) -> String;
    }

    impl AddA for String {
        fn add_a(&self) -> String {
            format!("{self}a")
        }
    }

    #[test]
    fn a_path_includes_what_is_further_in() {
        for (outer, inner, includes) in
            [("a", "a", true), ("a", "a.b", true), ("a", "ab", false), ("a.b", "a", false), ("a.b", "a.b.c", true)]
        {
            assert_eq!(path(outer).includes(path(inner)), includes, "{outer} {inner}");
        }
    }

    #[test]
    fn what_is_further_in_goes_with_what_includes_it() {
        let first =
            Overrides::default().with(&[set("a.b", json!(1)), set("ab", json!(2)), set("c", json!(3))]).unwrap();
        let second =
            first.with(&[set("a", json!({ "b": 4 })), SettingChange { path: path("c"), value: None }]).unwrap();
        assert_eq!(second.to_json(), r#"{"a":{"b":4},"ab":2}"#);
        assert_eq!(first.len(), 3, "the one before is as it was");
        assert!(second.with(&[SettingChange { path: path("x"), value: None }]).unwrap() == second);
    }

    #[test]
    fn there_is_a_most() {
        let large = "x".repeat(Overrides::BYTES_MAX);
        let error = Overrides::default().with(&[set("logo", json!(large))]).unwrap_err();
        assert!(error.to_string().contains("65536 is the most"), "{error}");
    }

    #[test]
    fn values_are_not_shown() {
        let overrides = Overrides::default().with(&[set("smtp.password", json!("hush"))]).unwrap();
        assert_eq!(format!("{overrides:?}"), r#"{"smtp.password"}"#);
        assert!(!format!("{:?}", set("a", json!("hush"))).contains("hush"));
        assert!(!Overrides::from_json(r#"{"a": "hush", }"#).unwrap_err().contains("hush"));
        assert!(Overrides::from_json(r#"{"a b": "hush"}"#).unwrap_err().contains("a setting is named"));
    }

    proptest! {
        #[test]
        fn what_is_stored_comes_back(entries in prop::collection::btree_map("[a-z]{1,3}(\\.[a-z]{1,2}){0,3}", any::<(i64, String)>(), 0..6)) {
            let overrides: Overrides = entries.iter().map(|(at, value)| (path(at), json!(value))).collect();
            prop_assert_eq!(Overrides::from_json(&overrides.to_json()), Ok(overrides));
        }
    }
}
