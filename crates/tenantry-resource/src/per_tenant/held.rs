//! A resource in use, and what happens when its last user is done.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tenantry_core::{Revision, Scope, TenantId};
use tokio::{runtime::Handle, time::Instant};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::MakeResource;

/// A tenant's resource in use: it is not closed before this is dropped.
pub struct Held<M: MakeResource>(Arc<Live<M>>);

impl<M: MakeResource> Held<M> {
    pub(super) fn new(live: &Arc<Live<M>>) -> Self {
        Self(Arc::clone(live))
    }
}

impl<M: MakeResource> Deref for Held<M> {
    type Target = M::Resource;

    fn deref(&self) -> &M::Resource {
        &self.0.resource
    }
}

impl<M: MakeResource> Clone for Held<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: MakeResource> Drop for Held<M> {
    fn drop(&mut self) {
        self.0.touch();
    }
}

impl<M: MakeResource> fmt::Debug for Held<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("tenant", &self.0.tenant).finish_non_exhaustive()
    }
}

/// A resource that is built. The table of resources holds one reference, and each [`Held`] another; when the last one
/// goes, the resource is closed.
pub(super) struct Live<M: MakeResource> {
    resource: Arc<M::Resource>,
    make: Arc<M>,
    tenant: TenantId,
    revision: Revision,
    born: Instant,
    /// When it was used last, in milliseconds after it was born.
    used_at: AtomicU64,
    runtime: Handle,
    token: TaskTrackerToken,
}

impl<M: MakeResource> Live<M> {
    pub(super) fn new(resource: M::Resource, make: Arc<M>, scope: &Scope, token: TaskTrackerToken) -> Self {
        Self {
            resource: Arc::new(resource),
            make,
            tenant: scope.id(),
            revision: scope.tenant().revision,
            born: Instant::now(),
            used_at: AtomicU64::new(0),
            runtime: Handle::current(),
            token,
        }
    }

    /// Whether it was built for the record that `scope` was admitted with, or for a later one.
    pub(super) fn serves(&self, scope: &Scope) -> bool {
        self.revision >= scope.tenant().revision
    }

    pub(super) const fn revision(&self) -> Revision {
        self.revision
    }

    /// How long nobody has used it. Means nothing while it is in use.
    pub(super) fn idle(&self) -> Duration {
        self.born.elapsed().saturating_sub(Duration::from_millis(self.used_at.load(Ordering::Relaxed)))
    }

    /// Whether only the table refers to it. Exact while the table is locked for writing, since a [`Held`] begins there.
    pub(super) fn is_unused(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1
    }

    fn touch(&self) {
        let age = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used_at.store(age, Ordering::Relaxed);
    }
}

impl<M: MakeResource> Drop for Live<M> {
    fn drop(&mut self) {
        let (resource, make, token) = (Arc::clone(&self.resource), Arc::clone(&self.make), self.token.clone());
        self.runtime.spawn(async move {
            make.close(&resource).await;
            drop(resource);
            drop(token);
        });
    }
}
