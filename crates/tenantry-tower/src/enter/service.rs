//! The service that enters the scope.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use tenantry_core::{Code, Refusal, Scope};
use tower_service::Service;

use super::EnterFuture;
use crate::refuse::{ResponseFuture, accept};

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
    type Future = ResponseFuture<EnterFuture<S::Future>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(scope) = request.extensions().get::<Scope>().cloned() else {
            return ResponseFuture::refused(Refusal::new(Code::NoScope), request.headers());
        };
        let accept = accept(request.headers()).cloned();
        ResponseFuture::called(EnterFuture::new(scope, accept, || self.inner.call(request)))
    }
}
