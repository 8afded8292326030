//! A value that is not shown.

use std::{cell::Cell, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use zeroize::Zeroize;

/// A setting that is encrypted where it is stored, and never printed, logged or serialized.
///
/// ```
/// use tenantry_resource::settings::Secret;
///
/// let password = Secret::new("hush".to_owned());
/// assert_eq!(format!("{password:?}"), "Secret(…)");
/// assert_eq!(serde_json::to_string(&password)?, r#""…""#);
/// assert_eq!(password.expose(), "hush");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T: Zeroize = String>(T);

impl<T: Zeroize> Secret<T> {
    /// A secret with this value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for whoever needs it. Do not copy it to where it is shown.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<T: Zeroize + Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match SHOWN.get() {
            Shown::Hidden => HIDDEN.serialize(serializer),
            Shown::Marked => mark().serialize(serializer),
            Shown::Plain => self.0.serialize(serializer),
        }
    }
}

/// The settings as a document, with secrets as they are. It must not leave this module's parent.
pub(super) fn plain(settings: &impl Serialize) -> Result<Value, serde_json::Error> {
    document(settings, Shown::Plain)
}

/// The settings as a document that says where secrets are, and not what.
pub(super) fn marked(settings: &impl Serialize) -> Result<Value, serde_json::Error> {
    document(settings, Shown::Marked)
}

/// What stands for a secret in a marked document.
pub(super) fn mark() -> Value {
    json!({ MARK: true })
}

/// Shows marks within a value as secrets are shown.
pub(super) fn hide(value: &mut Value) {
    if is_mark(value) {
        *value = HIDDEN.into();
    } else if let Value::Object(object) = value {
        object.values_mut().for_each(hide);
    }
}

/// Whether a value of a marked document stands for a secret.
pub(super) fn is_mark(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.len() == 1 && object.contains_key(MARK))
}

fn document(settings: &impl Serialize, shown: Shown) -> Result<Value, serde_json::Error> {
    /// Puts it back, whatever happens.
    struct Before(Shown);

    impl Drop for Before {
        fn drop(&mut self) {
            SHOWN.set(self.0);
        }
    }

    let _before = Before(SHOWN.replace(shown));
    serde_json::to_value(settings)
}

/// How secrets are serialized on this thread.
#[derive(Clone, Copy)]
enum Shown {
    Hidden,
    Marked,
    Plain,
}

thread_local! {
    static SHOWN: Cell<Shown> = const { Cell::new(Shown::Hidden) };
}

const HIDDEN: &str = "…";

const MARK: &str = "$secret";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_to_nobody_else() {
        let settings = json!({ "a": 1 });
        let both = (Secret::new("hush".to_owned()), &settings);
        assert_eq!(plain(&both).unwrap(), json!(["hush", { "a": 1 }]));
        assert_eq!(marked(&both).unwrap(), json!([{ "$secret": true }, { "a": 1 }]));
        assert_eq!(serde_json::to_value(&both).unwrap(), json!(["…", { "a": 1 }]));
        let failing = std::collections::HashMap::from([((1, 2), Secret::new(String::new()))]);
        plain(&failing).unwrap_err();
        assert_eq!(serde_json::to_value(Secret::new("hush".to_owned())).unwrap(), json!("…"), "also after a failure");
    }
}
