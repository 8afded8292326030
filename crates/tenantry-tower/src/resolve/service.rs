//! The service that finds out which tenant a request is for.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{Router, body::Body, routing::future::RouteFuture};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tenantry_core::{Code, Refusal, Resolution};
use tower_service::Service;

use super::ResolveLayer;
use crate::refuse::ResponseFuture;

/// See [`ResolveLayer`].
#[derive(Clone, Debug)]
pub struct Resolve<S> {
    inner: S,
    layer: ResolveLayer,
}

impl<S> Resolve<S> {
    pub(super) const fn new(inner: S, layer: ResolveLayer) -> Self {
        Self { inner, layer }
    }

    /// See [`ResolveLayer::apex`].
    #[must_use]
    pub fn apex(mut self, router: Router) -> Self {
        self.layer = self.layer.apex(router);
        self
    }
}

impl<S> Service<Request<Body>> for Resolve<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResolveFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let refusal = match self.layer.resolver.resolve(&parts) {
            Resolution::Candidate(candidate) => {
                parts.extensions.insert(candidate);
                let future = self.inner.call(Request::from_parts(parts, body));
                return ResolveFuture::tenant(ResponseFuture::called(future));
            }
            Resolution::Malformed(malformed) => malformed.into(),
            Resolution::NotMine => match &mut self.layer.apex {
                Some(apex) => return ResolveFuture::apex(apex.call(Request::from_parts(parts, body))),
                None => Refusal::new(Code::TenantMissing),
            },
        };
        ResolveFuture::tenant(ResponseFuture::refused(refusal, &parts.headers))
    }
}

pin_project! {
    /// The future of [`Resolve`].
    pub struct ResolveFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F> {
        Apex { #[pin] future: RouteFuture<Infallible> },
        Tenant { #[pin] future: ResponseFuture<F> },
    }
}

impl<F> ResolveFuture<F> {
    const fn apex(future: RouteFuture<Infallible>) -> Self {
        Self { kind: Kind::Apex { future } }
    }

    const fn tenant(future: ResponseFuture<F>) -> Self {
        Self { kind: Kind::Tenant { future } }
    }
}

impl<F> Future for ResolveFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().kind.project() {
            KindProjection::Apex { future } => future.poll(cx),
            KindProjection::Tenant { future } => future.poll(cx),
        }
    }
}

impl<F> fmt::Debug for ResolveFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolveFuture").finish_non_exhaustive()
    }
}
