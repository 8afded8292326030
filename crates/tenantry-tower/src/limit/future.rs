//! The future of a request that counts until its answer has been sent.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use http::{HeaderMap, Response};
use pin_project_lite::pin_project;
use tenantry_core::{Count, Refusal};

use super::meter::Permit;
use crate::{
    body::{count, keep},
    refuse::ResponseFuture,
};

pin_project! {
    /// The future of [`super::Limit`].
    pub struct LimitFuture<F> {
        #[pin]
        future: ResponseFuture<F>,
        permit: Option<Permit>,
    }
}

impl<F> LimitFuture<F> {
    pub(super) const fn permitted(future: F, permit: Permit) -> Self {
        Self { future: ResponseFuture::called(future), permit: Some(permit) }
    }

    pub(super) fn refused(refusal: Refusal, headers: &HeaderMap) -> Self {
        Self { future: ResponseFuture::refused(refusal, headers), permit: None }
    }
}

impl<F> Future for LimitFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Ok(response) = ready!(this.future.poll(cx));
        Poll::Ready(Ok(match this.permit.take() {
            Some(permit) => response.map(|body| {
                let counted = count(body, permit.scope(), Count::BytesSent);
                keep(permit, counted)
            }),
            None => response,
        }))
    }
}

impl<F> fmt::Debug for LimitFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitFuture").finish_non_exhaustive()
    }
}
