//! Entering a scope, for as long as something is polled.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tenantry_core::Scope;
use tracing::{Span, span::Entered};

use super::current::{current, enter};

/// Runs `inner` in `scope`: a future, a stream, or a body.
///
/// The scope is current whenever `inner` is polled, and when it is dropped. An inner `within` hides the outer one. What is
/// logged meanwhile is within a span that has the tenant's slug.
pub const fn within<T>(scope: Scope, inner: T) -> Within<T> {
    Within { scope: Some(scope), span: None, inner: Some(inner) }
}

/// Calls `f` in `scope`.
pub fn within_sync<R>(scope: Scope, f: impl FnOnce() -> R) -> R {
    let _said = said(&scope).entered();
    enter(&mut Some(scope), f)
}

/// Calls `f` in `scope`, and runs what it returns in the same scope.
///
/// For services: what a service does before it returns its future belongs to the request as well.
pub fn within_call<T>(scope: Scope, f: impl FnOnce() -> T) -> Within<T> {
    let span = said(&scope);
    let mut scope = Some(scope);
    let inner = span.in_scope(|| enter(&mut scope, f));
    Within { scope, span: Some(span), inner: Some(inner) }
}

/// What everything that is logged in the scope is within: a span with the tenant's slug, unless it is within one already.
fn said(scope: &Scope) -> Span {
    match current() {
        Ok(outer) if outer == *scope => Span::none(),
        // At this level it is there whenever anything is logged at all.
        _ => tracing::error_span!("tenant", tenant.slug = %scope.slug()),
    }
}

/// Enters the span, which is made when it is entered for the first time.
fn name<'a>(span: &'a mut Option<Span>, scope: Option<&Scope>) -> Option<Entered<'a>> {
    if let (None, Some(scope)) = (&span, scope) {
        *span = Some(said(scope));
    }
    span.as_ref().map(Span::enter)
}

pin_project! {
    /// A future, stream or body that runs in a scope. Made by [`within`].
    #[derive(Debug)]
    #[must_use = "nothing runs until this is polled"]
    pub struct Within<T> {
        // While `inner` is polled, this holds what was current before.
        scope: Option<Scope>,
        // Made when it is entered for the first time.
        span: Option<Span>,
        // Empty only while it is being dropped.
        #[pin]
        inner: Option<T>,
    }

    impl<T> PinnedDrop for Within<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _said = name(this.span, this.scope.as_ref());
            enter(this.scope, || this.inner.set(None));
        }
    }
}

impl<T> Within<T> {
    /// The scope; nothing while the inner value is being polled.
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Calls `f` with the inner value, in the scope; nothing when the value is already being dropped.
    pub fn enter<R>(self: Pin<&mut Self>, f: impl FnOnce(Pin<&mut T>) -> R) -> Option<R> {
        let this = self.project();
        let inner = this.inner.as_pin_mut()?;
        let _said = name(this.span, this.scope.as_ref());
        Some(enter(this.scope, || f(inner)))
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.enter(|future| future.poll(cx)).unwrap_or(Poll::Pending)
    }
}

impl<S: Stream> Stream for Within<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.enter(|stream| stream.poll_next(cx)).unwrap_or(Poll::Ready(None))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<B: Body> Body for Within<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.enter(|body| body.poll_frame(cx)).unwrap_or(Poll::Ready(None))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
