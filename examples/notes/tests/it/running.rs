//! Starts the application for a test.

use std::net::SocketAddr;

use axum::Router;
use notes::{Config, Secret};
use notes_suite::Site;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::place::Place;

/// A copy of the application with a database of its own, for as long as it is
/// in scope.
pub(crate) struct Running {
    /// Where it is found.
    pub(crate) site: Site,
    server: JoinHandle<()>,
    _place: Place,
}

impl Running {
    /// Starts the application at the root of its host.
    pub(crate) async fn start() -> Self {
        Self::start_within("/", |app| app).await
    }

    /// Starts the application as a part of what `wrap` makes of it, where it is
    /// found at `path`.
    pub(crate) async fn start_within(path: &str, wrap: impl FnOnce(Router) -> Router) -> Self {
        let place = Place::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = wrap(notes::app(config(&place, address)).await.unwrap());
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        });
        let base = format!("http://{address}{path}");
        Self { site: Site::new(base.parse().unwrap()), server, _place: place }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn config(place: &Place, listen: SocketAddr) -> Config {
    Config { listen, database_url: place.url(), secret: Secret::random() }
}
