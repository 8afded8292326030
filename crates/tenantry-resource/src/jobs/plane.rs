//! Jobs, as what looks after a tenant's life sees them.

use std::{fmt, sync::Arc};

use tenantry_core::{Amount, BoxFuture, Copying, Plane, PlaneError, Tenant};

use super::Broker;

/// The jobs of all tenants, in this store.
#[derive(Clone)]
pub struct JobsPlane(Arc<dyn Broker>);

impl JobsPlane {
    /// What is in this store.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self(broker)
    }
}

impl fmt::Debug for JobsPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobsPlane").finish_non_exhaustive()
    }
}

impl Plane for JobsPlane {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let counts = self.0.counts(tenant.id).await.map_err(|error| PlaneError::new(self.name(), tenant, error))?;
            Ok(Amount::items(counts.iter().map(|queue| queue.waiting + queue.running + queue.dead).sum()))
        })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let forgotten = self.0.forget(tenant.id).await;
            forgotten.map(Amount::items).map_err(|error| PlaneError::new(self.name(), tenant, error))
        })
    }

    /// A job is done once: nobody's jobs are done for another tenant as well.
    fn copy<'a>(&'a self, _: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { self.erase(to).await.map(|_| Amount::default()) })
    }

    fn copying(&self) -> Copying {
        Copying::Nothing
    }
}
