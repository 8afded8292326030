//! The layer that keeps tenants within their limits.

use std::sync::Arc;

use tower_layer::Layer;

use super::{Limit, meter::Meters};

/// Refuses requests beyond the limits of the tenant's plan. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct LimitLayer(Arc<Meters>);

impl LimitLayer {
    /// Starts counting.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit::new(inner, Arc::clone(&self.0))
    }
}
