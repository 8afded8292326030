//! What `axum::serve` needs: a service per connection, which knows its peer.

use std::{
    any::Any,
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
#[derive(Debug)]
pub struct Connected<S> {
    /// The server clones its service for every request. A clone of a front counts up something in each layer, in
    /// memory that all connections write to; this counts up once, in memory of this connection. The lock is held while
    /// the future is made, which is short; only the streams of one HTTP/2 connection ever wait for each other.
    front: Arc<Mutex<Front<S>>>,
    peer: Option<SocketAddr>,
}

impl<S> Connected<S> {
    fn front(&self) -> MutexGuard<'_, Front<S>> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Clone for Connected<S> {
    fn clone(&self) -> Self {
        Self { front: Arc::clone(&self.front), peer: self.peer }
    }
}

impl<S> Service<Request<Body>> for Connected<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Front<S> as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Front<S> as Service<Request<Body>>>::poll_ready(&mut self.front(), cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        self.front().call(request)
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
        let front = Arc::new(Mutex::new(self.clone()));
        ready(Ok(Connected { front, peer: address.downcast_ref().copied() }))
    }
}
