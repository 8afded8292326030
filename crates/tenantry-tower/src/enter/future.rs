//! The future of a request within its scope.

use std::{
    convert::Infallible,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tenantry_core::{Code, Count, Refusal, Scope};
use tenantry_resource::{Within, within, within_call};

use crate::refuse::refuse;

pin_project! {
    /// The future of [`super::Enter`].
    pub struct EnterFuture<F> {
        #[pin]
        future: Within<Option<F>>,
        accept: Option<HeaderValue>,
    }
}

impl<F> EnterFuture<F> {
    /// The future that `call` makes, in `scope` as `call` itself. A panic in `call` leaves none.
    pub(super) fn new(scope: Scope, accept: Option<HeaderValue>, call: impl FnOnce() -> F) -> Self {
        // A service is called on a clone of its own, so what a panic leaves behind is not used again.
        Self { future: within_call(scope, || catch_unwind(AssertUnwindSafe(call)).ok()), accept }
    }
}

impl<F> Future for EnterFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let began = Instant::now();
        let answered = answer(this.future.as_mut(), cx);
        if let Some(scope) = this.future.scope() {
            scope.usage().add_time(Count::HandlingNanos, began.elapsed());
        }
        let answered = ready!(answered);
        let scope = this.future.scope().cloned();
        Poll::Ready(Ok(match (answered, scope) {
            (Some(response), Some(scope)) => match unexplained(&response, &scope) {
                Some(refusal) => refuse(refusal, this.accept.as_ref()),
                None => response.map(|body| stay(scope, body)),
            },
            (_, scope) => panicked(scope.as_ref(), this.accept.as_ref()),
        }))
    }
}

impl<F> fmt::Debug for EnterFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterFuture").finish_non_exhaustive()
    }
}

/// The answer, or nothing when the application panics or has panicked.
fn answer<F>(future: Pin<&mut Within<Option<F>>>, cx: &mut Context<'_>) -> Poll<Option<Response<Body>>>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    // The future is not polled again after a panic.
    let polled =
        catch_unwind(AssertUnwindSafe(|| future.enter(|future| future.as_pin_mut().map(|future| future.poll(cx)))));
    match polled {
        Ok(Some(Some(Poll::Ready(Ok(response))))) => Poll::Ready(Some(response)),
        Ok(Some(Some(Poll::Pending))) => Poll::Pending,
        Ok(Some(None) | None) | Err(_) => Poll::Ready(None),
    }
}

/// Why an application that does not know Tenantry's refusals has failed, if it was one of these.
fn unexplained(response: &Response<Body>, scope: &Scope) -> Option<Refusal> {
    let is_failure = response.status() == StatusCode::INTERNAL_SERVER_ERROR;
    scope.noted().filter(|_| is_failure).cloned()
}

/// Keeps the scope current while the body is polled.
fn stay(scope: Scope, body: Body) -> Body {
    if body.is_end_stream() { body } else { Body::new(within(scope, body)) }
}

fn panicked(scope: Option<&Scope>, accept: Option<&HeaderValue>) -> Response<Body> {
    let refusal = Refusal::new(Code::InstancePanicked);
    let refusal = match scope {
        Some(scope) => {
            tracing::error!(tenant.slug = %scope.slug(), "the application panicked");
            refusal.for_tenant(scope.slug().clone())
        }
        None => refusal,
    };
    refuse(refusal, accept)
}
