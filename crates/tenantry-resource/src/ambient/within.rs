//! Entering a scope, for as long as something is polled.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tenantry_core::Scope;

use super::current::SCOPE;

/// Runs `inner` in `scope`: a future, a stream, or a body.
///
/// The scope is current whenever `inner` is polled, and when it is dropped. An inner `within` hides the outer one.
pub const fn within<T>(scope: Scope, inner: T) -> Within<T> {
    Within { scope, inner: Some(inner) }
}

/// Calls `f` in `scope`.
pub fn within_sync<R>(scope: Scope, f: impl FnOnce() -> R) -> R {
    SCOPE.sync_scope(scope, f)
}

pin_project! {
    /// A future, stream or body that runs in a scope. Made by [`within`].
    #[derive(Debug)]
    #[must_use = "nothing runs until this is polled"]
    pub struct Within<T> {
        scope: Scope,
        // Empty only while it is being dropped.
        #[pin]
        inner: Option<T>,
    }

    impl<T> PinnedDrop for Within<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            SCOPE.sync_scope(this.scope.clone(), || this.inner.set(None));
        }
    }
}

impl<T> Within<T> {
    /// Calls `f` with the inner value, in the scope; `ended` is the answer of a value that is already being dropped.
    fn enter<R>(self: Pin<&mut Self>, ended: R, f: impl FnOnce(Pin<&mut T>) -> R) -> R {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(inner) => SCOPE.sync_scope(this.scope.clone(), || f(inner)),
            None => ended,
        }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.enter(Poll::Pending, |future| future.poll(cx))
    }
}

impl<S: Stream> Stream for Within<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.enter(Poll::Ready(None), |stream| stream.poll_next(cx))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<B: Body> Body for Within<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.enter(Poll::Ready(None), |body| body.poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
