//! The service that enters the scope.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use tenantry_core::{Code, Refusal, Scope};
use tenantry_resource::within_sync;
use tower_service::Service;

use super::EnterFuture;

/// See [`super::EnterLayer`].
#[derive(Clone, Debug)]
pub struct Enter<S> {
    inner: S,
}

impl<S> Enter<S> {
    pub(super) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Request<Body>> for Enter<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = EnterFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(scope) = request.extensions().get::<Scope>().cloned() else {
            return EnterFuture::refused(Refusal::new(Code::NoScope), request.headers());
        };
        let accept = crate::refuse::accept(request.headers()).cloned();
        // A service is called on a clone of its own, so what a panic leaves behind is not used again.
        let call = AssertUnwindSafe(|| within_sync(scope.clone(), || self.inner.call(request)));
        match catch_unwind(call) {
            Ok(future) => EnterFuture::entered(scope, future, accept),
            Err(_) => EnterFuture::panicked(&scope, accept.as_ref()),
        }
    }
}
