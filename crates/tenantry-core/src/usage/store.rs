//! Where it is kept what tenants have used.

use std::{error::Error, fmt};

use super::{Hour, Used};
use crate::{Amount, BoxFuture, Copying, Plane, PlaneError, Tenant, TenantId};

/// Keeps what tenants have used, hour by hour. Several processes add to the same hours.
///
/// What an implementation promises:
/// 1. [`UsageStore::add`] adds all of a batch or nothing, and the same batch once, however often it is given.
/// 2. What was added survives the end of any process.
pub trait UsageStore: Send + Sync + 'static {
    /// Adds to what is known.
    fn add<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), UsageError>>;

    /// What was used from `since` on, of one tenant or of all: ordered by tenant, then by time, which is given in steps.
    fn read(&self, tenant: Option<TenantId>, since: Hour, step: Step) -> BoxFuture<'_, Result<Vec<Used>, UsageError>>;

    /// Of how many hours it is known what a tenant has used.
    fn hours(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UsageError>>;

    /// Forgets a tenant, and says of how many hours it was known what it has used.
    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UsageError>>;

    /// Forgets the hours before this one, and says how many those were of all tenants.
    fn expire(&self, before: Hour) -> BoxFuture<'_, Result<u64, UsageError>>;
}

/// In which steps time is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Each hour.
    Hour,
    /// Each day in UTC; its hour is the first one of the day.
    Day,
    /// All of it at once, at the hour that it begins with.
    Whole,
}

/// What a process has counted since it wrote last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The process: a number by chance, which it keeps.
    pub process: i64,
    /// Which one it is: the process counts them.
    pub number: i64,
    /// What was used; each tenant and hour at most once.
    pub used: Vec<Used>,
}

/// The store of what was used cannot be read or written.
#[derive(Debug)]
pub struct UsageError {
    /// The file or server, without what is secret.
    pub place: String,
    /// What happened.
    pub source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what tenants have used cannot be read or written at {}", self.place)
    }
}

impl Error for UsageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// What is kept of a tenant's use, as what looks after its life sees it: it is erased with the tenant.
///
/// A copy of a tenant has not used what its original has, and a tenant that is reset has used what it has used: so a copy
/// changes nothing here.
pub struct UsagePlane<S>(S);

impl<S: AsRef<dyn UsageStore> + Send + Sync + 'static> UsagePlane<S> {
    /// Of this store.
    pub const fn new(store: S) -> Self {
        Self(store)
    }
}

impl<S: AsRef<dyn UsageStore> + Send + Sync + 'static> Plane for UsagePlane<S> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let hours = self.0.as_ref().hours(tenant.id).await;
            hours.map(Amount::items).map_err(|error| PlaneError::new(NAME, tenant, error))
        })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let hours = self.0.as_ref().forget(tenant.id).await;
            hours.map(Amount::items).map_err(|error| PlaneError::new(NAME, tenant, error))
        })
    }

    fn copy<'a>(&'a self, _: &'a Tenant, _: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(std::future::ready(Ok(Amount::default())))
    }

    fn copying(&self) -> Copying {
        Copying::Leaves
    }
}

impl<S> fmt::Debug for UsagePlane<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsagePlane").finish_non_exhaustive()
    }
}

const NAME: &str = "usage";
