//! Several resolvers, the first of which decides.

use std::fmt;

use http::request::Parts;
use tenantry_core::{Resolution, Resolver};

/// Asks resolvers in order, until one does not answer [`Resolution::NotMine`].
///
/// A request that is malformed for one of them is refused; the next is not asked, so that nobody can step around a
/// resolver by confusing it.
#[derive(Default)]
pub struct FirstOf(Vec<Box<dyn Resolver>>);

impl FirstOf {
    /// Asks nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this one next.
    #[must_use]
    pub fn or(mut self, resolver: impl Resolver) -> Self {
        self.0.push(Box::new(resolver));
        self
    }
}

impl Resolver for FirstOf {
    fn resolve(&self, request: &Parts) -> Resolution {
        let mut answers = self.0.iter().map(|resolver| resolver.resolve(request));
        answers.find(|answer| *answer != Resolution::NotMine).unwrap_or(Resolution::NotMine)
    }
}

impl FromIterator<Box<dyn Resolver>> for FirstOf {
    fn from_iter<I: IntoIterator<Item = Box<dyn Resolver>>>(resolvers: I) -> Self {
        Self(resolvers.into_iter().collect())
    }
}

impl fmt::Debug for FirstOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FirstOf({} resolvers)", self.0.len())
    }
}
