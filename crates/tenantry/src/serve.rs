//! Serving, and stopping within a time that is known beforehand.

use std::{convert::Infallible, fmt, io};

use axum::{body::Body, serve::Listener};
use http::{Request, Response};
use tokio::sync::oneshot;
use tower_service::Service;

use crate::{Front, Tenancy};

/// How a server stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// `instances.drain_timeout` ended while answers were under way, or applications were being closed.
    CutOff,
    /// Every answer was sent, and every application closed.
    Gracefully,
}

impl Tenancy {
    /// Serves `front` until `stop`; then takes no more connections, and lets the requests under way end and the
    /// applications close. All of that takes at most `instances.drain_timeout`, whatever clients and applications do.
    ///
    /// `axum::serve` serves a [`Front`] as well, but waits without end for a client that does not finish.
    ///
    /// # Errors
    ///
    /// Those of the listener.
    pub async fn serve<L, S>(
        &self,
        listener: L,
        front: Front<S>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Stopped>
    where
        L: Listener<Addr: fmt::Debug + 'static>,
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>,
        S: Clone + Send + 'static,
    {
        let (stopping, stopped) = oneshot::channel();
        let stop = async move {
            stop.await;
            // Nobody listens any more only when the server has ended by itself.
            stopping.send(()).ok();
        };
        let serving = async {
            axum::serve(listener, front).with_graceful_shutdown(stop).await?;
            self.close_all().await;
            Ok(Stopped::Gracefully)
        };
        let out_of_time = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(self.drain_timeout()).await;
        };
        tokio::select! {
            ended = serving => ended,
            () = out_of_time => Ok(Stopped::CutOff),
        }
    }
}
