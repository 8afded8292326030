//! Starts the application for a test.

use std::path::Path;

use axum::Router;
use notes::{Config, Ldap, Secret, Worker};
use notes_suite::Site;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::place::Place;

/// A copy of the application with a database of its own, for as long as it is
/// in scope.
pub(crate) struct Running {
    /// Where it is found.
    pub(crate) site: Site,
    server: JoinHandle<()>,
    /// Does the jobs.
    pub(crate) worker: Worker,
    place: Place,
    folder: TempDir,
}

impl Running {
    /// Starts the application at the root of its host.
    pub(crate) async fn start() -> Self {
        Self::start_within("/", |app| app).await
    }

    /// Starts the application with people in a directory.
    pub(crate) async fn start_with_directory(ldap: Ldap) -> Self {
        Self::start_as("/", |app| app, ldap).await
    }

    /// Starts the application as a part of what `wrap` makes of it, where it is
    /// found at `path`.
    pub(crate) async fn start_within(path: &str, wrap: impl FnOnce(Router) -> Router) -> Self {
        Self::start_as(path, wrap, Ldap::default()).await
    }

    async fn start_as(path: &str, wrap: impl FnOnce(Router) -> Router, ldap: Ldap) -> Self {
        let (place, folder) = (Place::new().await, tempfile::tempdir().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config { ldap, ..config(&place, folder.path()) };
        let (app, worker) = notes::app(config).await.unwrap();
        let app = wrap(app);
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        });
        let base = format!("http://{address}{path}");
        Self { site: Site::new(base.parse().unwrap()), server, worker, place, folder }
    }
}

impl Running {
    /// Starts the application again, beside this copy.
    pub(crate) async fn another_worker(&self) -> Worker {
        notes::app(config(&self.place, self.folder.path())).await.unwrap().1
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn config(place: &Place, folder: &Path) -> Config {
    let mut config = Config::new(Secret::random());
    config.database_url = place.url();
    config.files = folder.join("files");
    config.jobs_url = format!("sqlite://{}", folder.join("jobs.db").display());
    config
}
