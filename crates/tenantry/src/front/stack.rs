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

use crate::{
    entrance::{Door, Entrance, SignIn},
    trial::TellTime,
};

/// The layers of a deployment. Clones count and cache together.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    pub(crate) resolve: ResolveLayer,
    pub(crate) admit: AdmitLayer,
    pub(crate) limit: LimitLayer,
    pub(crate) mount: MountLayer,
    pub(crate) seal: Option<SealLayer>,
    pub(crate) door: Door,
}

/// An application behind all layers: what a server serves.
///
/// ```text
/// request ─► resolve ─► admit ─► tell the time ─► limit ─► mount ─► seal ─► enter the scope ─► entrance ─► application
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
    door: Door,
}

type Stack<S> = Resolve<Admit<TellTime<Limit<Mount<Either<Seal<Entered<S>>, Entered<S>>>>>>>;

type Entered<S> = Enter<Entrance<S>>;

impl<S> Front<S> {
    pub(crate) fn new(layers: &Layers, application: S) -> Self {
        let door = layers.door.another();
        let entered = EnterLayer::new().layer(Entrance::new(application, door.clone()));
        let sealed = match &layers.seal {
            Some(seal) => Either::Left(seal.layer(entered)),
            None => Either::Right(entered),
        };
        let limited = layers.limit.layer(layers.mount.layer(sealed));
        Self { stack: layers.resolve.layer(layers.admit.layer(TellTime::new(limited))), door }
    }

    /// Lets `router` answer the requests that name no tenant; without it they are refused with 404.
    ///
    /// It runs without a scope. Requests that name a tenant never reach it, not even when the tenant is unknown.
    #[must_use]
    pub fn apex(mut self, router: Router) -> Self {
        self.stack = self.stack.apex(router);
        self
    }

    /// Lets people in by links that are good once: those of `tenantry tenant impersonate`, and those that trials begin with.
    /// `sign_in` is how the application signs them in. Without it such links lead to the application, which knows nothing of
    /// them.
    #[must_use]
    pub fn entrance(self, sign_in: SignIn) -> Self {
        self.door.open(sign_in);
        self
    }
}

impl<S> Service<Request<Body>> for Front<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
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
