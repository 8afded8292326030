//! The tenant's name is the start of the path.

use http::request::Parts;
use tenantry_core::{Candidate, Malformed, Resolution, Resolver, Slug, SlugError};
use thiserror::Error;

/// Reads the tenant from the path: the segment behind a prefix, or a prefix of the tenant's own.
///
/// The longest prefix that fits counts. The application does not see what named the tenant; see
/// [`crate::MountLayer`].
///
/// ```
/// use tenantry_tower::PathPrefix;
///
/// let resolver = PathPrefix::new()
///     .under("/t")?                       // /t/acme/notes
///     .exact("/shop", "acme".parse()?)?;  // /shop/notes
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A path with `.` or `..` segments is refused, in any spelling: browsers and careful clients resolve them before they
/// send, and what sits behind might resolve them after we have decided who the tenant is.
#[derive(Clone, Debug, Default)]
pub struct PathPrefix {
    /// Longest first.
    prefixes: Vec<Prefix>,
}

#[derive(Clone, Debug)]
struct Prefix {
    path: Box<str>,
    names: Names,
}

#[derive(Clone, Debug)]
enum Names {
    /// The next segment names the tenant.
    NextSegment,
    /// The prefix itself does.
    This(Slug),
}

impl PathPrefix {
    /// Knows no prefix yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The segment behind `path` names the tenant; with `/`, the first segment of every path does.
    ///
    /// # Errors
    ///
    /// [`PathPrefixError`] when `path` is no prefix.
    pub fn under(mut self, path: &str) -> Result<Self, PathPrefixError> {
        if path == "/" {
            // The shortest of all prefixes, so it comes last.
            self.prefixes.push(Prefix { path: "".into(), names: Names::NextSegment });
            return Ok(self);
        }
        self.with(path, Names::NextSegment)
    }

    /// What is behind `path` belongs to this tenant.
    ///
    /// # Errors
    ///
    /// [`PathPrefixError`] when `path` is no prefix.
    pub fn exact(self, path: &str, slug: Slug) -> Result<Self, PathPrefixError> {
        self.with(path, Names::This(slug))
    }

    fn with(mut self, path: &str, names: Names) -> Result<Self, PathPrefixError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
        let fits = path.starts_with('/') && path.bytes().all(plain) && !path.ends_with('/') && !path.contains("//");
        if !fits || has_dot_segments(path) {
            return Err(PathPrefixError { path: path.to_owned() });
        }
        self.prefixes.push(Prefix { path: path.into(), names });
        self.prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.path.len()));
        Ok(self)
    }
}

impl Resolver for PathPrefix {
    fn resolve(&self, request: &Parts) -> Resolution {
        let path = request.uri.path();
        let fitting = self.prefixes.iter().find_map(|prefix| {
            let rest = path.strip_prefix(&*prefix.path)?;
            (rest.is_empty() || rest.starts_with('/')).then_some((prefix, rest))
        });
        let Some((prefix, rest)) = fitting else { return Resolution::NotMine };
        if has_dot_segments(rest) {
            return Resolution::Malformed(Malformed::new("its path has `.` or `..` segments"));
        }
        match &prefix.names {
            Names::This(slug) => Resolution::Candidate(Candidate::new(slug.clone()).mounted(prefix.path.len())),
            Names::NextSegment => next_segment(prefix.path.len(), rest),
        }
    }
}

/// Reads the name from `rest`, which is empty or begins with a slash, and follows `prefix_len` bytes of prefix.
fn next_segment(prefix_len: usize, rest: &str) -> Resolution {
    let Some(segment) = rest.get(1..).filter(|rest| !rest.is_empty()) else { return Resolution::NotMine };
    let segment = segment.split('/').next().unwrap_or_default();
    match segment.parse() {
        Ok(slug) => Resolution::Candidate(Candidate::new(slug).mounted(prefix_len + 1 + segment.len())),
        Err(SlugError::Reserved) => Resolution::NotMine,
        Err(SlugError::Character { found: '%' }) => {
            Resolution::Malformed(Malformed::new("the tenant's name in its path is percent-encoded"))
        }
        Err(_) => Resolution::Malformed(Malformed::new("its path does not have a tenant's name where one belongs")),
    }
}

/// Whether a segment is `.` or `..`, plain or percent-encoded, between slashes or backslashes of either kind.
///
/// An encoded slash is left alone: `/tags/a%2Fb` is one segment to the application, whatever is in it.
fn has_dot_segments(path: &str) -> bool {
    // Nearly every path is done here.
    if !path.contains("/.") && !path.contains('%') && !path.contains('\\') {
        return false;
    }
    let plain = path.to_ascii_lowercase().replace("%5c", "\\").replace("%2e", ".");
    plain.split(['/', '\\']).any(|segment| segment == "." || segment == "..")
}

/// A text that is no path prefix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path:?} is no path prefix: it begins with a slash, does not end with one, and consists of plain segments")]
pub struct PathPrefixError {
    path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(path: &str) -> Result<Option<(String, usize)>, ()> {
        let resolver = PathPrefix::new()
            .under("/t")
            .and_then(|resolver| resolver.under("/t/eu"))
            .and_then(|resolver| resolver.exact("/shop", "acme".parse().unwrap()))
            .unwrap();
        let request = http::Request::builder().uri(path).body(()).unwrap().into_parts().0;
        match resolver.resolve(&request) {
            Resolution::Candidate(candidate) => Ok(Some((candidate.slug().to_string(), candidate.mount_len()))),
            Resolution::Malformed(_) => Err(()),
            Resolution::NotMine => Ok(None),
        }
    }

    #[test]
    fn the_longest_prefix_names_the_tenant() {
        let named = |slug: &str, len| Ok(Some((slug.to_owned(), len)));
        assert_eq!(resolve("/t/acme"), named("acme", 7));
        assert_eq!(resolve("/t/acme/"), named("acme", 7));
        assert_eq!(resolve("/t/acme/notes?x=/../1"), named("acme", 7));
        assert_eq!(resolve("/t/eu/globex/notes"), named("globex", 12));
        assert_eq!(resolve("/shop/t/globex"), named("acme", 5));
        for apex in ["/", "/t", "/t/", "/tt/acme", "/T/acme", "/shops", "/t/www/", "/%74/acme", "/t%2Facme", "/t/eu/"] {
            assert_eq!(resolve(apex), Ok(None), "{apex}");
        }
    }

    #[test]
    fn crooked_paths_are_refused() {
        for path in [
            "/t/acme/../globex",
            "/t/acme/..",
            "/t/acme/./x",
            "/t/acme/%2e%2e/globex",
            "/t/acme/.%2E/globex",
            "/t/acme/x\\..\\..\\globex",
            "/t/acme/..%5cglobex",
            "/t/../t/acme",
            "/t/%61cme/",
            "/t/ac%6De/",
            "/t/acme%2fglobex/",
            "/t/acme%252fglobex/",
            "/t//acme",
            "/t/Acme/",
            "/t/acme;globex/",
            "/t/-/",
        ] {
            assert_eq!(resolve(path), Err(()), "{path}");
        }
        // Dots that are no dot segments are a matter for the application.
        assert!(resolve("/t/acme/.well-known/x..y/...").unwrap().is_some());
        assert!(resolve("/t/acme/tags/a%2F..%2Fb").unwrap().is_some());
    }

    #[test]
    fn the_first_segment_can_name_the_tenant() {
        let resolver =
            PathPrefix::new().under("/").and_then(|all| all.exact("/shop", "acme".parse().unwrap())).unwrap();
        let resolve = |path: &str| {
            let request = http::Request::builder().uri(path).body(()).unwrap().into_parts().0;
            match resolver.resolve(&request) {
                Resolution::Candidate(candidate) => Some((candidate.slug().to_string(), candidate.mount_len())),
                _ => None,
            }
        };
        assert_eq!(resolve("/globex/notes"), Some(("globex".to_owned(), 7)));
        assert_eq!(resolve("/shop/notes"), Some(("acme".to_owned(), 5)));
        assert_eq!(resolve("/"), None);
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        assert!(PathPrefix::new().exact("/", "acme".parse().unwrap()).is_err());
        for path in ["", "t", "/t/", "//t", "/a//b", "/a/../b", "/a b", "/a?b", "/ä"] {
            assert!(PathPrefix::new().under(path).is_err(), "{path}");
        }
    }
}
