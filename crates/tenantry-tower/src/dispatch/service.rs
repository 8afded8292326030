//! The service that calls the tenant's own application.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use tenantry_core::{Code, Refusal, Scope};
use tenantry_resource::PerTenant;
use tower_service::Service;

use super::{DispatchFuture, MakeApp};

/// Calls the application of the request's tenant, and builds it first if need be.
///
/// Refuses a request without a scope.
#[derive(Clone, Debug)]
pub struct Dispatch {
    apps: PerTenant<MakeApp>,
}

impl Dispatch {
    /// Dispatches to these applications.
    pub const fn new(apps: PerTenant<MakeApp>) -> Self {
        Self { apps }
    }
}

impl Service<Request<Body>> for Dispatch {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = DispatchFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> DispatchFuture {
        let Some(scope) = request.extensions().get::<Scope>() else {
            return DispatchFuture::refused(Refusal::new(Code::NoScope), request.headers());
        };
        match self.apps.ready(scope) {
            Some(app) => DispatchFuture::serving(app, request),
            None => DispatchFuture::building(self.apps.clone(), scope.clone(), request),
        }
    }
}
