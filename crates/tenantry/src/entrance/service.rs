//! The layer that answers links, and leaves everything else to the application.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tenantry_core::BoxFuture;
use tenantry_tower::refused;
use tower_service::Service;

use super::Door;

/// An application behind the door at which links are answered; part of every [`Front`](crate::Front).
///
/// It belongs within the scope, and inside of what moves and seals cookies.
#[derive(Clone, Debug)]
pub struct Entrance<S> {
    inner: S,
    door: Door,
}

impl<S> Entrance<S> {
    pub(crate) const fn new(inner: S, door: Door) -> Self {
        Self { inner, door }
    }
}

impl<S> Service<Request<Body>> for Entrance<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = EntranceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if !self.door.is_for(&request) {
            return EntranceFuture { kind: Kind::Application { future: self.inner.call(request) } };
        }
        let (door, application) = (self.door.clone(), self.inner.clone());
        let (came, _) = request.into_parts();
        let answer = async move {
            let headers = came.headers.clone();
            Ok(door.answer(came, application).await.unwrap_or_else(|refusal| refused(refusal, &headers)))
        };
        EntranceFuture { kind: Kind::Door { answer: Box::pin(answer) } }
    }
}

pin_project! {
    /// The future of [`Entrance`].
    pub struct EntranceFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F> {
        Application { #[pin] future: F },
        Door { answer: BoxFuture<'static, Result<Response<Body>, Infallible>> },
    }
}

impl<F> Future for EntranceFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().kind.project() {
            KindProjection::Application { future } => future.poll(cx),
            KindProjection::Door { answer } => answer.as_mut().poll(cx),
        }
    }
}

impl<F> fmt::Debug for EntranceFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntranceFuture").finish_non_exhaustive()
    }
}
