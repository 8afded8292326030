//! The script root: what stands before every path of an application.

use std::{convert::Infallible, fmt, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::reference::dots_in;

/// The path below which the application is served, such as `/t/acme`; empty when that is the whole host.
///
/// It never ends with a slash, so that the root and a path of the application make a path of the host. Handlers may
/// take it as an argument:
///
/// ```
/// use tenantry_tower::ScriptRoot;
///
/// async fn hook(root: ScriptRoot) -> String {
///     format!("the address of this hook is {root}/hook")
/// }
/// # let _: axum::Router = axum::Router::new().route("/hook", axum::routing::get(hook));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptRoot(Arc<str>);

impl ScriptRoot {
    /// The root as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the application has the host for itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A root that was taken off by a proxy, followed by one that was taken off here. Both must be plain.
    pub(super) fn join(outer: &str, mount: &str) -> Self {
        Self(if outer.is_empty() { mount.into() } else { [outer, mount].concat().into() })
    }

    /// Whether `path` is the root itself or something below it.
    pub(super) fn contains(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.0.as_bytes()).is_some_and(|rest| matches!(rest, [] | [b'/' | b'\\', ..]))
    }
}

impl fmt::Display for ScriptRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for ScriptRoot {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Whether a path can be a script root: no empty and no dot segments, no slash at the end, and only characters that mean
/// nothing else in a header, an attribute, a cookie's path or a `srcset`. The empty path is one.
pub(super) fn is_plain(path: &str) -> bool {
    let plain =
        |segment: &str| !segment.is_empty() && dots_in(segment.as_bytes()) == 0 && segment.bytes().all(is_plain_byte);
    path.is_empty() || path.len() <= LEN_MAX && path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(plain))
}

/// Unreserved characters (RFC 3986 §2.3), and percent-encoded ones.
const fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%')
}

/// Longer prefixes are attacks on the size of every answer.
const LEN_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_roots() {
        for path in ["", "/t/acme", "/a", "/a.b/c-d_e~f", "/kunden-%C3%BC"] {
            assert!(is_plain(path), "{path}");
        }
        let long = format!("/{}", "x".repeat(LEN_MAX));
        for path in [
            "/",
            "t",
            "//evil",
            "/a//b",
            "/a/",
            "/a/..",
            "/./a",
            "/%2E%2e/a",
            "/a\\b",
            "/a b",
            "/a;b",
            "/a\"",
            "/ü",
            &long,
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn contains_ends_at_a_segment() {
        let root = ScriptRoot::join("", "/t/acme");
        for (path, expected) in [
            ("/t/acme", true),
            ("/t/acme/", true),
            ("/t/acme/x", true),
            ("/t/acmex", false),
            ("/t", false),
            ("/x", false),
        ] {
            assert_eq!(root.contains(path.as_bytes()), expected, "{path}");
        }
        assert_eq!(ScriptRoot::join("/outer", "/t/acme").as_str(), "/outer/t/acme");
    }
}
