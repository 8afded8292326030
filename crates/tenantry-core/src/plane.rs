//! Planes: the kinds of places where tenants have data.

use std::{error::Error, fmt, ops::AddAssign};

use crate::{BoxFuture, Slug, Tenant};

/// A kind of place where each tenant has data of its own: its rows, its uploads, its jobs.
///
/// What looks after a tenant's life goes through all planes and needs to know nothing else of them. No scope is needed: a
/// tenant that is suspended, being prepared or being deleted has data as well.
///
/// What an implementation promises:
/// 1. Only what is this tenant's is read or changed.
/// 2. [`Plane::copy`] and [`Plane::erase`] may be killed at any point and begun again, and lead to the same end.
/// 3. What [`Plane::count`] counts is everything that [`Plane::erase`] removes; afterwards it counts nothing.
pub trait Plane: Send + Sync + 'static {
    /// What it is called in reports: a plural, as `rows`.
    fn name(&self) -> &'static str;

    /// How much a tenant has here.
    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>>;

    /// Removes all that a tenant has here, and says how much there was.
    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>>;

    /// Makes what `to` has here a copy of what `from` has, as of one moment, and says how much that is. What `to` had before is
    /// gone. Where a plane has nothing that could be copied, as a cache, `to` has nothing afterwards; but what it has used, it has
    /// used.
    fn copy<'a>(&'a self, from: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>>;

    /// What [`Plane::copy`] does here, for who asks beforehand.
    fn copying(&self) -> Copying {
        Copying::Everything
    }
}

/// What a plane does when it copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// What one has, the other has.
    Everything,
    /// What the other had is left to it, and nothing comes.
    Leaves,
    /// Nothing comes, and the other has nothing.
    Nothing,
}

/// How much a tenant has in a plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Rows, objects, jobs: whatever the plane has.
    pub items: u64,
    /// Bytes that they take, where the plane knows.
    pub bytes: u64,
}

impl Amount {
    /// So many, of which nobody knows the size.
    pub const fn items(items: u64) -> Self {
        Self { items, bytes: 0 }
    }

    /// Whether there is nothing.
    pub const fn is_nothing(self) -> bool {
        self.items == 0 && self.bytes == 0
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Self) {
        self.items = self.items.saturating_add(more.items);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

/// A plane could not do what it was asked. What it has done so far is no harm: it can be asked again.
#[derive(Debug)]
pub struct PlaneError {
    /// The plane.
    pub plane: &'static str,
    /// The tenant.
    pub tenant: Slug,
    /// Why.
    pub source: Box<dyn Error + Send + Sync>,
}

impl PlaneError {
    /// This is what happened to the tenant in this plane.
    pub fn new(plane: &'static str, tenant: &Tenant, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { plane, tenant: tenant.slug.clone(), source: source.into() }
    }
}

impl fmt::Display for PlaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} of {} cannot be worked on", self.plane, self.tenant)
    }
}

impl Error for PlaneError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
