//! The layer that enters the scope.

use tower_layer::Layer;

use super::Enter;

/// Makes the request's scope current for the inner service. Refuses a request without one.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnterLayer(());

impl EnterLayer {
    /// Enters the scope that [`crate::AdmitLayer`] has put into the request.
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for EnterLayer {
    type Service = Enter<S>;

    fn layer(&self, inner: S) -> Enter<S> {
        Enter::new(inner)
    }
}
