//! The tenant's name is a label of the host.

use std::collections::HashMap;

use http::request::Parts;
use tenantry_core::{Candidate, Malformed, Resolution, Resolver, Slug, SlugError};

use super::authority::{SentTo, sent_to};

/// Reads the tenant from the host: the label in front of a suffix, or a host of the tenant's own.
///
/// ```
/// use tenantry_tower::Host;
///
/// let resolver = Host::new()
///     .under("example.com")                            // acme.example.com
///     .exact("notes.acme.example", "acme".parse()?);   // a domain that the tenant brought along
/// # Ok::<(), tenantry_core::SlugError>(())
/// ```
///
/// Behind a proxy, make the proxy pass the `Host` header on: `X-Forwarded-Host` is not read.
#[derive(Clone, Debug, Default)]
pub struct Host {
    exact: HashMap<Box<str>, Slug>,
    /// With the dot in front, longest first.
    suffixes: Vec<Box<str>>,
}

impl Host {
    /// Knows no host yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every host that is one label longer than `suffix`. Where suffixes overlap, the longest counts.
    #[must_use]
    pub fn under(mut self, suffix: &str) -> Self {
        let suffix = suffix.trim_matches('.').to_ascii_lowercase();
        self.suffixes.push(format!(".{suffix}").into());
        self.suffixes.sort_by_key(|suffix| std::cmp::Reverse(suffix.len()));
        self
    }

    /// This host belongs to this tenant.
    #[must_use]
    pub fn exact(mut self, host: &str, slug: Slug) -> Self {
        self.exact.insert(host.trim_end_matches('.').to_ascii_lowercase().into(), slug);
        self
    }
}

impl Resolver for Host {
    fn resolve(&self, request: &Parts) -> Resolution {
        let host = match sent_to(request) {
            SentTo::Host(host) => host,
            SentTo::Nothing => return Resolution::NotMine,
            SentTo::Unclear => return Resolution::Malformed(Malformed::new("it is not clear which host it is for")),
        };
        if let Some(slug) = self.exact.get(host.as_str()) {
            return Resolution::Candidate(Candidate::new(slug.clone()));
        }
        let is_suffix = |suffix: &str| suffix.strip_prefix('.') == Some(&*host);
        if self.suffixes.iter().any(|suffix| is_suffix(suffix)) {
            return Resolution::NotMine;
        }
        let label = self.suffixes.iter().find_map(|suffix| host.strip_suffix(&**suffix));
        match label.map(str::parse) {
            Some(Ok(slug)) => Resolution::Candidate(Candidate::new(slug)),
            // `www` and its like are the deployment's own, and what has more dots is none of ours.
            None | Some(Err(SlugError::Reserved | SlugError::Character { found: '.' })) => Resolution::NotMine,
            Some(Err(_)) => Resolution::Malformed(Malformed::new("the host's first label cannot be a tenant's name")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(host: &str) -> Result<Option<String>, ()> {
        let resolver = Host::new()
            .under("example.com")
            .under(".eu.example.com")
            .exact("Notes.Acme.example", "acme".parse().unwrap());
        let request = http::Request::builder().header("host", host).body(()).unwrap().into_parts().0;
        match resolver.resolve(&request) {
            Resolution::Candidate(candidate) => Ok(Some(candidate.slug().to_string())),
            Resolution::Malformed(_) => Err(()),
            Resolution::NotMine => Ok(None),
        }
    }

    #[test]
    fn reads_the_label_in_front_of_the_longest_suffix() {
        let named = |slug: &str| Ok(Some(slug.to_owned()));
        assert_eq!(resolve("acme.example.com"), named("acme"));
        assert_eq!(resolve("ACME.Example.COM.:8080"), named("acme"));
        assert_eq!(resolve("acme.eu.example.com"), named("acme"));
        assert_eq!(resolve("notes.acme.example"), named("acme"));
        for apex in ["example.com", "eu.example.com", "www.example.com", "a.b.example.com", "acme.example.org", "[::1]"]
        {
            assert_eq!(resolve(apex), Ok(None), "{apex}");
        }
        for bad in ["-acme.example.com", "ac_me.example.com", "xn--a%2e.example.com"] {
            assert_eq!(resolve(bad), Err(()), "{bad}");
        }
    }
}
