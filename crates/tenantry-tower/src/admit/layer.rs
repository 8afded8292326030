//! The layer that admits tenants.

use std::sync::Arc;

use tenantry_core::Admission;
use tower_layer::Layer;

use super::Admit;

/// Puts the [`tenantry_core::Scope`] of a request into its extensions, or refuses.
#[derive(Clone, Debug)]
pub struct AdmitLayer(Arc<Admission>);

impl AdmitLayer {
    /// Admits as `admission` says.
    pub const fn new(admission: Arc<Admission>) -> Self {
        Self(admission)
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit::new(inner, Arc::clone(&self.0))
    }
}
