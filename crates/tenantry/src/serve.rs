//! Serving, and stopping within a time that is known beforehand.

use std::{convert::Infallible, fmt, io};

use axum::{body::Body, serve::Listener};
use http::{Request, Response};
use tokio::{net::TcpListener, sync::oneshot};
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
    /// Meanwhile what has to be done from time to time is done, as `[lifecycle]` says: operations that were abandoned are gone on
    /// with, and deleted tenants erased. What tenants use is written as `[usage]` says, and at the end, with what the audit log lacks, for which five seconds
    /// are left beyond that time. `/metrics` is served beside it where `metrics.listen` says so.
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
        let metrics = self.metrics_listener().await?;
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
        let ended = tokio::select! {
            ended = serving => ended,
            () = out_of_time => Ok(Stopped::CutOff),
            failed = self.serve_metrics(metrics) => Err(failed),
            never = self.sweep() => match never {},
            never = self.keep_usage() => match never {},
        };
        tokio::join!(self.keep_last_usage(), self.flush_last_unscoped());
        ended
    }

    async fn metrics_listener(&self) -> io::Result<Option<TcpListener>> {
        let Some(listen) = self.config().metrics.listen else { return Ok(None) };
        let said = |error: io::Error| io::Error::new(error.kind(), format!("metrics.listen, {listen}: {error}"));
        TcpListener::bind(listen).await.map(Some).map_err(said)
    }

    /// Serves `/metrics` for as long as it is polled.
    async fn serve_metrics(&self, listener: Option<TcpListener>) -> io::Error {
        match listener {
            Some(listener) => match axum::serve(listener, self.metrics()).await {
                Err(error) => error,
                Ok(()) => io::Error::other("the server of /metrics has ended"),
            },
            None => std::future::pending().await,
        }
    }
}
