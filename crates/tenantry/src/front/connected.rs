//! What `axum::serve` needs: a service per connection, which knows its peer.

use std::{
    any::Any,
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::ConnectInfo,
    serve::{IncomingStream, Listener},
};
use http::{Request, Response};
use tower_service::Service;

use super::Front;

/// A [`Front`] on one connection.
///
/// Each request gets the peer's address as `ConnectInfo<SocketAddr>`, which trusted proxies are recognised by.
/// Connections that have no such address (Unix sockets) get none, and their peers are trusted by nobody.
#[derive(Clone, Debug)]
pub struct Connected<S> {
    front: Front<S>,
    peer: Option<SocketAddr>,
}

impl<S> Service<Request<Body>> for Connected<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Front<S> as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.front.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        self.front.call(request)
    }
}

impl<L, S> Service<IncomingStream<'_, L>> for Front<S>
where
    L: Listener<Addr: 'static>,
    S: Clone,
{
    type Response = Connected<S>;
    type Error = Infallible;
    type Future = Ready<Result<Connected<S>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, L>) -> Self::Future {
        let address: &dyn Any = stream.remote_addr();
        ready(Ok(Connected { front: self.clone(), peer: address.downcast_ref().copied() }))
    }
}
