//! Rows on their way in, whatever they become.

use tenantry_core::{BoxFuture, PlaneError, RowsPart, TakesRows, Tenant};

use super::PortableError;

/// A place that takes rows in.
pub(crate) trait Takes: Send + Sized + 'static {
    /// Takes some.
    fn take(&mut self, part: &RowsPart) -> impl Future<Output = Result<(), PortableError>> + Send;

    /// All have come. Says how many there are.
    fn finish(self) -> impl Future<Output = Result<u64, PortableError>> + Send;
}

/// Rows that are taken in for a tenant, of whom an error tells.
struct Taking<T> {
    tenant: Tenant,
    takes: T,
}

/// What `takes` does, for the tenant.
pub(crate) fn for_tenant(tenant: &Tenant, takes: impl Takes) -> Box<dyn TakesRows> {
    Box::new(Taking { tenant: tenant.clone(), takes })
}

impl<T: Takes> TakesRows for Taking<T> {
    fn take(&mut self, part: RowsPart) -> BoxFuture<'_, Result<(), PlaneError>> {
        Box::pin(async move { self.takes.take(&part).await.map_err(|error| error.of(&self.tenant)) })
    }

    fn finish<'a>(self: Box<Self>) -> BoxFuture<'a, Result<u64, PlaneError>>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let Self { tenant, takes } = *self;
            takes.finish().await.map_err(|error| error.of(&tenant))
        })
    }
}
