//! Several resolvers that must not contradict each other.

use std::fmt;

use http::request::Parts;
use tenantry_core::{Candidate, Resolution, Resolver};

/// Asks all resolvers; those that find a tenant have to find the same.
///
/// A resolver that answers [`Resolution::NotMine`] has no say, so a page before sign-in works with the host alone, and
/// once there is a token it must be for the same tenant. Whether two names are names of the same tenant is for
/// admission to say, which refuses with [`tenantry_core::Code::TenantsDisagree`].
#[derive(Default)]
pub struct AllAgree(Vec<Box<dyn Resolver>>);

impl AllAgree {
    /// Asks nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this one as well.
    #[must_use]
    pub fn and(mut self, resolver: impl Resolver) -> Self {
        self.0.push(Box::new(resolver));
        self
    }
}

impl Resolver for AllAgree {
    fn resolve(&self, request: &Parts) -> Resolution {
        let mut agreed: Option<Candidate> = None;
        for resolver in &self.0 {
            match resolver.resolve(request) {
                Resolution::Candidate(candidate) => {
                    agreed = Some(match agreed {
                        Some(agreed) => agreed.and(candidate),
                        None => candidate,
                    });
                }
                Resolution::NotMine => {}
                malformed @ Resolution::Malformed(_) => return malformed,
            }
        }
        agreed.map_or(Resolution::NotMine, Resolution::Candidate)
    }
}

impl FromIterator<Box<dyn Resolver>> for AllAgree {
    fn from_iter<I: IntoIterator<Item = Box<dyn Resolver>>>(resolvers: I) -> Self {
        Self(resolvers.into_iter().collect())
    }
}

impl fmt::Debug for AllAgree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AllAgree({} resolvers)", self.0.len())
    }
}
