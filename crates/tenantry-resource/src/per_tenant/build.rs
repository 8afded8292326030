//! Building resources, and closing idle ones, in tasks of their own.

use std::{
    any::Any,
    sync::{Arc, Weak, atomic::Ordering},
};

use tenantry_core::{Scope, TenantId};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{BoxError, BuildError, MakeResource, handle::Shared, held::Live, slots::Building};
use crate::within;

/// Builds the resource of `scope` in a task of its own, so that the build survives the request that asked for it.
#[expect(clippy::disallowed_methods, reason = "the build enters its scope by itself")]
pub(super) fn begin<M: MakeResource>(
    shared: &Arc<Shared<M>>,
    scope: Scope,
    building: Arc<Building>,
    token: TaskTrackerToken,
) {
    if !shared.sweeping.swap(true, Ordering::AcqRel) {
        tokio::spawn(sweep(Arc::downgrade(shared), shared.bounds.sweep_every()));
    }
    let unfinished = Unfinished { shared: Arc::clone(shared), tenant: scope.id(), building };
    tokio::spawn(async move {
        let Unfinished { shared, building, .. } = &unfinished;
        let built = shared.make_in_time(&scope, &token).await;
        let built = built.map(|resource| Arc::new(Live::new(resource, Arc::clone(&shared.make), &scope, token)));
        if let Err(error) = &built {
            tracing::warn!(tenant.slug = %scope.slug(), error = error as &dyn std::error::Error, "building failed");
        }
        let unwanted = shared.write().finish(scope.id(), building, built);
        drop(unwanted);
    });
}

/// Ends a build however its task ends: wakes those who wait, and gives the slot up if nothing came of it.
struct Unfinished<M: MakeResource> {
    shared: Arc<Shared<M>>,
    tenant: TenantId,
    building: Arc<Building>,
}

impl<M: MakeResource> Drop for Unfinished<M> {
    fn drop(&mut self) {
        self.shared.write().abandon(self.tenant, &self.building);
        self.building.over();
    }
}

impl<M: MakeResource> Shared<M> {
    /// Calls the maker in a further task, so that one that blocks its thread cannot keep the clock from running out.
    #[expect(clippy::disallowed_methods, reason = "the task enters the scope by itself")]
    async fn make_in_time(&self, scope: &Scope, token: &TaskTrackerToken) -> Result<M::Resource, BuildError> {
        let (make, for_make) = (Arc::clone(&self.make), scope.clone());
        let mut making = tokio::spawn(within(scope.clone(), async move { make.make(for_make).await }));
        match tokio::time::timeout(self.bounds.build_timeout, &mut making).await {
            Ok(Ok(made)) => made.map_err(|cause| BuildError::Failed { cause: cause.into() }),
            Ok(Err(failed)) => Err(match failed.try_into_panic() {
                Ok(panic) => BuildError::Panicked { message: panic_message(panic.as_ref()) },
                // The runtime is about to stop.
                Err(cancelled) => BuildError::Failed { cause: Arc::new(cancelled) },
            }),
            Err(_) => {
                making.abort();
                tokio::spawn(close_late(making, Arc::clone(&self.make), token.clone()));
                Err(BuildError::TimedOut { after: self.bounds.build_timeout })
            }
        }
    }
}

/// Closes what a maker that could not be interrupted comes up with after all.
async fn close_late<M: MakeResource>(
    making: JoinHandle<Result<M::Resource, BoxError>>,
    make: Arc<M>,
    token: TaskTrackerToken,
) {
    if let Ok(Ok(late)) = making.await {
        make.close(&late).await;
    }
    drop(token);
}

fn panic_message(panic: &(dyn Any + Send)) -> Arc<str> {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").into()
}

/// Closes idle resources for as long as somebody holds the handle.
async fn sweep<M: MakeResource>(shared: Weak<Shared<M>>, every: std::time::Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(shared) = shared.upgrade() else { return };
        let idle = shared.write().take_idle(Instant::now());
        drop(idle);
    }
}
