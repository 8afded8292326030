//! From a request to the name of a tenant: a claim that admission has yet to believe.

use std::borrow::Cow;

use http::request::Parts;

use crate::{Code, Refusal, Slug};

/// Reads the tenant's name from a request's head.
///
/// A resolver only reads; it looks nothing up and never waits. It answers one of three things:
///
/// | answer | when | what follows |
/// |---|---|---|
/// | [`Resolution::Candidate`] | the request names a tenant in this resolver's way | admission |
/// | [`Resolution::NotMine`] | the request does not use this resolver's way at all | the next resolver |
/// | [`Resolution::Malformed`] | it uses this way, and wrongly | a refusal; no other resolver is asked |
///
/// ```
/// use http::request::Parts;
/// use tenantry_core::{Candidate, Malformed, Resolution, Resolver};
///
/// /// `/?tenant=acme`, for a demonstration.
/// struct Query;
///
/// impl Resolver for Query {
///     fn resolve(&self, request: &Parts) -> Resolution {
///         let query = request.uri.query().unwrap_or_default();
///         let Some(name) = query.strip_prefix("tenant=") else { return Resolution::NotMine };
///         match name.parse() {
///             Ok(slug) => Resolution::Candidate(Candidate::new(slug)),
///             Err(_) => Resolution::Malformed(Malformed::new("the query parameter `tenant` is no tenant's name")),
///         }
///     }
/// }
/// ```
pub trait Resolver: Send + Sync + 'static {
    /// Reads the tenant's name from the head of `request`.
    fn resolve(&self, request: &Parts) -> Resolution;
}

impl<R: Resolver + ?Sized> Resolver for Box<R> {
    fn resolve(&self, request: &Parts) -> Resolution {
        (**self).resolve(request)
    }
}

/// What a [`Resolver`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The request names this tenant.
    Candidate(Candidate),
    /// The request names a tenant in this way, and wrongly.
    Malformed(Malformed),
    /// The request does not name a tenant in this way.
    NotMine,
}

/// A tenant that a request claims to be for. Whether it exists, and may be served, is for admission to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    slug: Slug,
    others: Vec<Slug>,
    mount_len: usize,
}

impl Candidate {
    /// The tenant with this slug or alias.
    pub const fn new(slug: Slug) -> Self {
        Self { slug, others: Vec::new(), mount_len: 0 }
    }

    /// The same, named by the first `len` bytes of the path, which the application must not see.
    #[must_use]
    pub const fn mounted(mut self, len: usize) -> Self {
        self.mount_len = len;
        self
    }

    /// The same, on the condition that the names of `other` are names of the same tenant.
    ///
    /// Whether they are is for admission to say, since one tenant may have several names.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let names = std::iter::once(other.slug).chain(other.others);
        self.others.extend(names.filter(|name| *name != self.slug));
        self.mount_len = self.mount_len.max(other.mount_len);
        self
    }

    /// The name that the request gave.
    pub const fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Further names that must belong to the same tenant.
    pub fn others(&self) -> &[Slug] {
        &self.others
    }

    /// How many bytes at the start of the path named the tenant; 0 when the path did not.
    pub const fn mount_len(&self) -> usize {
        self.mount_len
    }
}

/// Why a request that names a tenant cannot be read. Never repeats what the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    code: Code,
    detail: Cow<'static, str>,
}

impl Malformed {
    /// Malformed for this reason; answered with [`Code::RequestMalformed`].
    pub fn new(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::RequestMalformed, detail: detail.into() }
    }

    /// A proof of identity that does not hold; answered with [`Code::TokenInvalid`].
    pub fn token(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::TokenInvalid, detail: detail.into() }
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::new(malformed.code).because(malformed.detail)
    }
}
