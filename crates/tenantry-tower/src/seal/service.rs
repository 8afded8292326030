//! The service that opens what comes in, and leaves what goes out to the future.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{HeaderMap, Request, Response, header::COOKIE};
use tenantry_core::{Code, Refusal, Scope};
use tenantry_resource::KeyHolder;
use tower_service::Service;

use super::{
    SealFuture,
    layer::Settings,
    sealer::{Sealer, is_like_sealed},
};
use crate::{
    cookie::{self, Pair},
    refuse::ResponseFuture,
};

/// See [`super::SealLayer`].
///
/// A service that is called again for the same tenant, as that of a connection is, keeps the tenant's keys at hand. They
/// go with the connection, so there is no cache to bound or to leak from.
#[derive(Clone, Debug)]
pub struct Seal<S> {
    inner: S,
    settings: Arc<Settings>,
    last: Option<Sealer>,
}

impl<S> Seal<S> {
    pub(super) const fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings, last: None }
    }

    fn sealer(&mut self, holder: KeyHolder) -> &Sealer {
        let sealer = match self.last.take() {
            Some(last) if last.holder() == holder => last,
            _ => Sealer::new(&self.settings.keys, holder),
        };
        self.last.insert(sealer)
    }
}

impl<S> Service<Request<Body>> for Seal<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture<SealFuture<S::Future>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(holder) = request.extensions().get::<Scope>().map(KeyHolder::from) else {
            let refusal = Refusal::new(Code::NoScope).because("cookies are sealed after admission, and there was none");
            return ResponseFuture::refused(refusal, request.headers());
        };
        let sealer = self.sealer(holder).clone();
        open_all(request.headers_mut(), &self.settings, &sealer);
        ResponseFuture::called(SealFuture::new(self.inner.call(request), Arc::clone(&self.settings), sealer))
    }
}

/// Leaves the request with the cookies that are the application's own, as it set them.
fn open_all(headers: &mut HeaderMap, settings: &Settings, sealer: &Sealer) {
    if !headers.contains_key(COOKIE) {
        return;
    }
    let (mut tried, mut dropped) = (0_usize, 0_usize);
    cookie::change(headers, |Pair { name, value }| {
        if settings.unsealed.contains(name) {
            return Some(Pair { name, value });
        }
        // What does not even look sealed costs nothing to drop, and does not count.
        tried += usize::from(is_like_sealed(value));
        let opened = (tried <= settings.cookies_max).then(|| sealer.open(name, value)).flatten();
        dropped += usize::from(opened.is_none());
        opened.map(|value| Pair { name, value })
    });
    if dropped > 0 {
        tracing::debug!(dropped, "cookies that were not sealed for this tenant");
    }
}
