//! The layer that finds out which tenant a request is for.

use std::{fmt, sync::Arc};

use axum::Router;
use tenantry_core::Resolver;
use tower_layer::Layer;

use super::Resolve;

/// Puts the [`tenantry_core::Candidate`] of a request into its extensions, or refuses.
#[derive(Clone)]
pub struct ResolveLayer {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) apex: Option<Router>,
}

impl ResolveLayer {
    /// Resolves with this resolver; a request that names no tenant is refused.
    pub fn new(resolver: impl Resolver) -> Self {
        Self { resolver: Arc::new(resolver), apex: None }
    }

    /// Lets `router` answer the requests that name no tenant: a page that sells, a sign-up, a status.
    ///
    /// It runs without a scope, and requests that name a tenant never reach it, not even when the tenant is unknown.
    #[must_use]
    pub fn apex(mut self, router: Router) -> Self {
        self.apex = Some(router);
        self
    }
}

impl<S> Layer<S> for ResolveLayer {
    type Service = Resolve<S>;

    fn layer(&self, inner: S) -> Resolve<S> {
        Resolve::new(inner, self.clone())
    }
}

impl fmt::Debug for ResolveLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolveLayer").field("apex", &self.apex.is_some()).finish_non_exhaustive()
    }
}
