//! How a resource is made and closed: the part that varies.

use std::{error::Error, fmt};

use tenantry_core::Scope;

/// Any error of a maker.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Makes the resource of one tenant, and closes it again.
///
/// Both run in tasks of their own, [`MakeResource::make`] within the tenant's scope.
pub trait MakeResource: Send + Sync + 'static {
    /// What is made.
    type Resource: Send + Sync + 'static;

    /// Makes the resource of the tenant of `scope`.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being made. It is logged, and shown to operators but not to tenants.
    fn make(&self, scope: Scope) -> impl Future<Output = Result<Self::Resource, BoxError>> + Send;

    /// Closes a resource that nobody uses any more, before it is dropped. By default nothing is done.
    fn close(&self, resource: &Self::Resource) -> impl Future<Output = ()> + Send {
        let _ = resource;
        std::future::ready(())
    }
}

/// A [`MakeResource`] from a function, for resources that need no closing.
pub const fn make_fn<F>(f: F) -> MakeFn<F> {
    MakeFn(f)
}

/// A function as a [`MakeResource`]. Made by [`make_fn`].
#[derive(Clone, Copy)]
pub struct MakeFn<F>(F);

impl<F, Fut, R> MakeResource for MakeFn<F>
where
    F: Fn(Scope) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, BoxError>> + Send,
    R: Send + Sync + 'static,
{
    type Resource = R;

    fn make(&self, scope: Scope) -> impl Future<Output = Result<R, BoxError>> + Send {
        (self.0)(scope)
    }
}

impl<F> fmt::Debug for MakeFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeFn")
    }
}
