//! The service that keeps tenants within their limits.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::Limited;
use tenantry_core::{Code, Count, Refusal, Scope};
use tower_service::Service;

use super::{
    future::LimitFuture,
    meter::{Meter, Meters, Permit},
};
use crate::body::count;

/// See [`super::LimitLayer`].
///
/// A service that is called again for the same tenant, as that of a connection is, keeps its meter at hand.
#[derive(Clone, Debug)]
pub struct Limit<S> {
    inner: S,
    meters: Arc<Meters>,
    last: Option<Arc<Meter>>,
}

impl<S> Limit<S> {
    pub(super) const fn new(inner: S, meters: Arc<Meters>) -> Self {
        Self { inner, meters, last: None }
    }

    fn enter(&mut self, request: &Request<Body>) -> Result<(Permit, Option<u64>), Refusal> {
        let scope = request.extensions().get::<Scope>().ok_or_else(|| Refusal::new(Code::NoScope))?;
        let for_tenant = |refusal: Refusal| refusal.for_tenant(scope.slug().clone());
        let bytes_max = scope.limits().body_bytes_max;
        let bytes = request.body().size_hint();
        if bytes_max.is_some_and(|max| bytes.lower() > max) {
            return Err(for_tenant(Refusal::new(Code::BodyTooLarge)));
        }
        let meter = match self.last.take() {
            Some(last) if last.is_for(scope) => last,
            _ => self.meters.of(scope),
        };
        let permit = self.last.insert(meter).enter(scope).map_err(for_tenant)?;
        // The server holds a body to the length it has announced, so only one without a length must be watched.
        let to_watch = bytes_max.filter(|&max| bytes.upper().is_none_or(|upper| upper > max));
        Ok((permit, to_watch))
    }
}

impl<S> Service<Request<Body>> for Limit<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = LimitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.enter(&request) {
            Ok((permit, to_watch)) => {
                let scope = permit.scope();
                let request = request.map(|body| count(body, scope, Count::BytesReceived));
                let request = match to_watch {
                    None => request,
                    Some(max) => {
                        let max = usize::try_from(max).unwrap_or(usize::MAX);
                        request.map(|body| Body::new(Limited::new(body, max)))
                    }
                };
                LimitFuture::permitted(self.inner.call(request), permit)
            }
            Err(refusal) => {
                if let Some(scope) = request.extensions().get::<Scope>() {
                    scope.usage().add(Count::Refusals, 1);
                }
                LimitFuture::refused(refusal, request.headers())
            }
        }
    }
}
