//! The future of a request to a tenant's own application.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{body::Body, routing::future::RouteFuture};
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tenantry_core::{BoxFuture, Refusal, Scope};
use tenantry_resource::{Held, PerTenant, Unavailable};
use tower_service::Service;

use super::MakeApp;
use crate::{
    body::keep,
    refuse::{accept, refuse},
};

pin_project! {
    /// The future of [`super::Dispatch`].
    pub struct DispatchFuture {
        #[pin]
        state: State,
    }
}

pin_project! {
    #[project = Projection]
    enum State {
        Building { app: BoxFuture<'static, Result<Held<MakeApp>, Unavailable>>, scope: Scope, request: Option<Request<Body>> },
        Serving { #[pin] future: RouteFuture<Infallible>, app: Option<Held<MakeApp>> },
        Refused { response: Option<Response<Body>> },
    }
}

impl DispatchFuture {
    pub(super) fn serving(app: Held<MakeApp>, request: Request<Body>) -> Self {
        Self { state: State::serving(app, request) }
    }

    pub(super) fn building(apps: PerTenant<MakeApp>, scope: Scope, request: Request<Body>) -> Self {
        let for_build = scope.clone();
        let app = Box::pin(async move { apps.of(&for_build).await });
        Self { state: State::Building { app, scope, request: Some(request) } }
    }

    pub(super) fn refused(refusal: Refusal, headers: &HeaderMap) -> Self {
        Self { state: State::Refused { response: Some(refuse(refusal, accept(headers))) } }
    }
}

impl State {
    fn serving(app: Held<MakeApp>, request: Request<Body>) -> Self {
        // The router is cheap to clone, and calling it needs a clone of its own.
        Self::Serving { future: app.router.clone().call(request), app: Some(app) }
    }
}

impl Future for DispatchFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                Projection::Building { app, scope, request } => {
                    let app = ready!(app.as_mut().poll(cx));
                    // Polled after it was ready, which the contract of `Future` rules out.
                    let Some(request) = request.take() else { return Poll::Pending };
                    match app {
                        Ok(app) => State::serving(app, request),
                        Err(unavailable) => {
                            let refusal = Refusal::from(unavailable).for_tenant(scope.slug().clone());
                            State::Refused { response: Some(refuse(refusal, accept(request.headers()))) }
                        }
                    }
                }
                Projection::Serving { future, app } => {
                    let Ok(response) = ready!(future.poll(cx));
                    let Some(app) = app.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(response.map(|body| keep(app, body))));
                }
                Projection::Refused { response } => {
                    return response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)));
                }
            };
            state.set(next);
        }
    }
}

impl fmt::Debug for DispatchFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatchFuture").finish_non_exhaustive()
    }
}
