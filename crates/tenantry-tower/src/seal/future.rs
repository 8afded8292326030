//! The future that seals the cookies of an answer.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use http::{
    HeaderMap, Response,
    header::{HeaderValue, SET_COOKIE},
};
use pin_project_lite::pin_project;

use super::{layer::Settings, sealer::Sealer};
use crate::cookie::SetCookie;

pin_project! {
    /// The future of [`super::Seal`].
    pub struct SealFuture<F> {
        #[pin]
        future: F,
        settings: Arc<Settings>,
        sealer: Sealer,
    }
}

impl<F> SealFuture<F> {
    pub(super) const fn new(future: F, settings: Arc<Settings>, sealer: Sealer) -> Self {
        Self { future, settings, sealer }
    }
}

impl<F> Future for SealFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Ok(mut response) = ready!(this.future.poll(cx));
        seal_all(response.headers_mut(), this.settings, this.sealer);
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for SealFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealFuture").finish_non_exhaustive()
    }
}

fn seal_all(headers: &mut HeaderMap, settings: &Settings, sealer: &Sealer) {
    if !headers.contains_key(SET_COOKIE) {
        return;
    }
    let set = headers.get_all(SET_COOKIE).into_iter();
    let sealed: Vec<_> = set.filter_map(|header| seal(header, settings, sealer)).collect();
    headers.remove(SET_COOKIE);
    for header in sealed {
        headers.append(SET_COOKIE, header);
    }
}

/// The header with its value sealed, or nothing when it must not be sent.
fn seal(header: &HeaderValue, settings: &Settings, sealer: &Sealer) -> Option<HeaderValue> {
    let Some(SetCookie { name, value, attributes }) = SetCookie::parse(header.as_bytes()) else {
        tracing::warn!("the application set a cookie without a name; it is dropped");
        return None;
    };
    if settings.unsealed.contains(name) {
        return Some(header.clone());
    }
    let sealed = sealer.seal(name, value);
    let len = name.len() + sealed.len();
    if len > BROWSER_BYTES_MAX {
        tracing::warn!(cookie = %String::from_utf8_lossy(name), len, "a cookie is larger than browsers keep; let the application put less into it");
    }
    let set = [name, b"=", &sealed, attributes].concat();
    HeaderValue::from_maybe_shared(Bytes::from(set)).ok()
}

/// What browsers keep of a cookie, name and value together; RFC 6265 §6.1 asks for no more.
const BROWSER_BYTES_MAX: usize = 4096;
