//! How a resource is made and closed: the part that varies.

use std::{error::Error, fmt};

use tenantry_core::{BoxFuture, Scope};

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
///
/// ```
/// use tenantry_resource::{Bounds, MakeFn, PerTenant, make_fn};
///
/// struct AppState {
///     greetings: PerTenant<MakeFn<String>>,
/// }
///
/// let greet = make_fn(|scope| async move { Ok::<_, std::io::Error>(format!("hello, {}", scope.slug())) });
/// let state = AppState { greetings: PerTenant::new(greet, Bounds::default()) };
/// ```
pub fn make_fn<F, Fut, R, E>(f: F) -> MakeFn<R>
where
    F: Fn(Scope) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, E>> + Send + 'static,
    E: Into<BoxError>,
{
    MakeFn(Box::new(move |scope| {
        let making = f(scope);
        Box::pin(async move { making.await.map_err(Into::into) })
    }))
}

/// A function as a [`MakeResource`]. Made by [`make_fn`].
pub struct MakeFn<R>(Box<Make<R>>);

// Boxed, so that the type can be written down, and so that neither the function nor its error is part of it.
type Make<R> = dyn Fn(Scope) -> BoxFuture<'static, Result<R, BoxError>> + Send + Sync;

impl<R: Send + Sync + 'static> MakeResource for MakeFn<R> {
    type Resource = R;

    fn make(&self, scope: Scope) -> impl Future<Output = Result<R, BoxError>> + Send {
        (self.0)(scope)
    }
}

impl<R> fmt::Debug for MakeFn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeFn")
    }
}
