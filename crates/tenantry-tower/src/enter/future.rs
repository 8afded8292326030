//! The future of a request within its scope.

use std::{
    convert::Infallible,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tenantry_core::{Code, Refusal, Scope};
use tenantry_resource::{Within, within};

use crate::refuse::{ResponseFuture, refuse};

pin_project! {
    /// The future of [`super::Enter`].
    pub struct EnterFuture<F> {
        #[pin]
        future: ResponseFuture<Within<F>>,
        entered: Option<Entered>,
    }
}

struct Entered {
    scope: Scope,
    accept: Option<HeaderValue>,
}

impl<F> EnterFuture<F> {
    pub(super) fn entered(scope: Scope, future: F, accept: Option<HeaderValue>) -> Self {
        let future = ResponseFuture::called(within(scope.clone(), future));
        Self { future, entered: Some(Entered { scope, accept }) }
    }

    pub(super) fn refused(refusal: Refusal, headers: &HeaderMap) -> Self {
        Self { future: ResponseFuture::refused(refusal, headers), entered: None }
    }

    pub(super) fn panicked(scope: &Scope, accept: Option<&HeaderValue>) -> Self {
        Self { future: ResponseFuture::answered(panicked(scope, accept)), entered: None }
    }
}

impl<F> Future for EnterFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The future is not polled again after a panic.
        let polled = catch_unwind(AssertUnwindSafe(|| this.future.poll(cx)));
        let response = match polled {
            Ok(polled) => {
                let Ok(response) = ready!(polled);
                Some(response)
            }
            Err(_) => None,
        };
        let entered = this.entered.take();
        Poll::Ready(Ok(match (response, entered) {
            (Some(response), Some(entered)) => response.map(|body| stay(entered.scope, body)),
            (Some(response), None) => response,
            (None, Some(entered)) => panicked(&entered.scope, entered.accept.as_ref()),
            (None, None) => refuse(Refusal::new(Code::InstancePanicked), None),
        }))
    }
}

impl<F> fmt::Debug for EnterFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterFuture").finish_non_exhaustive()
    }
}

/// Keeps the scope current while the body is polled.
fn stay(scope: Scope, body: Body) -> Body {
    if body.is_end_stream() { body } else { Body::new(within(scope, body)) }
}

fn panicked(scope: &Scope, accept: Option<&HeaderValue>) -> Response<Body> {
    tracing::error!(tenant.slug = %scope.slug(), "the application panicked");
    refuse(Refusal::new(Code::InstancePanicked).for_tenant(scope.slug().clone()), accept)
}
