//! The layers, in the one order in which they are right.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{Router, body::Body};
use http::{Request, Response};
use tenantry_tower::{
    Admit, AdmitLayer, Enter, EnterLayer, Limit, LimitLayer, Mount, MountLayer, Resolve, ResolveLayer, Seal, SealLayer,
};
use tower::util::Either;
use tower_layer::Layer;
use tower_service::Service;

/// The layers of a deployment. Clones count and cache together.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    pub(crate) resolve: ResolveLayer,
    pub(crate) admit: AdmitLayer,
    pub(crate) limit: LimitLayer,
    pub(crate) mount: MountLayer,
    pub(crate) seal: Option<SealLayer>,
}

/// An application behind all layers: what a server serves.
///
/// ```text
/// request ─► resolve ─► admit ─► limit ─► mount ─► seal ─► enter the scope ─► application
/// ```
///
/// * Mount comes before seal, so that a cookie is sealed under the name that the application knows.
/// * Limit comes before everything that costs something.
///
/// It is a `tower::Service`, so it can be layered further and routed to. It is also what `axum::serve` takes: then the
/// peer's address is known to the layers, and to the application as `ConnectInfo<SocketAddr>`.
#[derive(Clone, Debug)]
pub struct Front<S> {
    stack: Stack<S>,
}

type Stack<S> = Resolve<Admit<Limit<Mount<Either<Seal<Enter<S>>, Enter<S>>>>>>;

impl<S> Front<S> {
    pub(crate) fn new(layers: &Layers, application: S) -> Self {
        let entered = EnterLayer::new().layer(application);
        let sealed = match &layers.seal {
            Some(seal) => Either::Left(seal.layer(entered)),
            None => Either::Right(entered),
        };
        let limited = layers.limit.layer(layers.mount.layer(sealed));
        Self { stack: layers.resolve.layer(layers.admit.layer(limited)) }
    }

    /// Lets `router` answer the requests that name no tenant; without it they are refused with 404.
    ///
    /// It runs without a scope. Requests that name a tenant never reach it, not even when the tenant is unknown.
    #[must_use]
    pub fn apex(mut self, router: Router) -> Self {
        self.stack = self.stack.apex(router);
        self
    }
}

impl<S> Service<Request<Body>> for Front<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Stack<S> as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.stack.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.stack.call(request)
    }
}
