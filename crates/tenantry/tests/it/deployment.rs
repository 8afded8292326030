//! A running deployment of the notes application, for as long as a test needs it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use axum::{Router, body::Body, http::Request, response::Response};
use notes_suite::Site;
use tempfile::TempDir;
use tenantry::{App, CatalogError, Front, NewTenant, Placement, Tenancy, TenantId, config::Config, tower::Dispatch};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tower::Service;

use crate::setup::register;

/// Tenants `acme` and `globex`, each with an instance of the notes application and a database of its own. All
/// instances sign their sessions with the same secret.
pub(crate) struct Deployment {
    pub(crate) tenancy: Tenancy,
    pub(crate) address: SocketAddr,
    pub(crate) folder: PathBuf,
    server: JoinHandle<()>,
    _folder: TempDir,
}

impl Deployment {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts after `change` has changed the configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_behind(change, |front| front).await
    }

    /// The same, behind a front that `add` has added to.
    pub(crate) async fn start_behind(
        change: impl FnOnce(&mut Config),
        add: impl FnOnce(Front<Dispatch>) -> Front<Dispatch>,
    ) -> Self {
        let (tenancy, folder) = open(change).await;
        let databases = folder.path().to_owned();
        let app = tenancy.dispatch(move |scope| notes(databases.clone(), scope.id()));
        Self::serve(tenancy, folder, add(app)).await
    }

    /// One instance of the converted application, for all tenants.
    pub(crate) async fn start_shared() -> Self {
        Self::start_shared_with(|_| {}).await
    }

    /// The same, after `change` has changed the configuration.
    pub(crate) async fn start_shared_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_shared_behind(change, async |_, front| front).await
    }

    /// The same, behind a front that `add` has added to.
    pub(crate) async fn start_shared_behind(
        change: impl FnOnce(&mut Config),
        add: impl AsyncFnOnce(&Tenancy, Front<Router>) -> Front<Router>,
    ) -> Self {
        let (tenancy, folder) = open(change).await;
        let app = tenancy.wrap(converted(&tenancy).await.unwrap());
        let app = add(&tenancy, app).await;
        Self::serve(tenancy, folder, app).await
    }

    /// Tenants `acme` and `globex` share an instance and its tables; `initech` and `hooli` have an instance each.
    pub(crate) async fn start_mixed() -> Self {
        let (tenancy, folder) = open(|_| {}).await;
        for slug in ["initech", "hooli"] {
            let mut new = NewTenant::new(slug.parse().unwrap());
            new.placement = Placement::Dedicated;
            tenancy.catalog().create(new).await.unwrap();
        }
        tenancy.refresh().await.unwrap();
        let (shared, databases) = (converted(&tenancy).await.unwrap(), folder.path().to_owned());
        let app = tenancy.dispatch(move |scope| {
            let (shared, databases) = (shared.clone(), databases.clone());
            async move {
                match scope.tenant().placement {
                    Placement::Shared => Ok(App::new(shared)),
                    _ => notes(databases, scope.id()).await,
                }
            }
        });
        Self::serve(tenancy, folder, app).await
    }

    /// One instance of the application converted on PostgreSQL: `acme` and `globex` share its tables, `initech` has a
    /// database of its own.
    #[cfg(feature = "postgres")]
    pub(crate) async fn start_on_postgres(application_url: &str, owner_url: &str) -> Self {
        Self::start_on_postgres_behind(application_url, owner_url, |_| {}, async |_, front| front).await
    }

    /// The same, after `change` has changed the configuration, and behind a front that `add` has added to.
    #[cfg(feature = "postgres")]
    pub(crate) async fn start_on_postgres_behind(
        application_url: &str,
        owner_url: &str,
        change: impl FnOnce(&mut Config),
        add: impl AsyncFnOnce(&Tenancy, Front<Router>) -> Front<Router>,
    ) -> Self {
        let url = |url: &str| tenantry::config::ServerUrl::try_from(url.to_owned()).unwrap();
        let change = |config: &mut Config| {
            config.database.url = Some(url(owner_url));
            config.database.application_url = Some(url(application_url));
            change(config);
        };
        let (tenancy, folder) = open(change).await;
        let mut new = NewTenant::new("initech".parse().unwrap());
        new.placement = Placement::Dedicated;
        tenancy.catalog().create(new).await.unwrap();
        tenancy.refresh().await.unwrap();
        let config = notes_saas_postgres::Config::new(notes_saas_postgres::Secret::new(vec![7; 32]).unwrap());
        let app = tenancy.wrap(notes_saas_postgres::app(config, &tenancy).await.unwrap().0);
        let app = add(&tenancy, app).await;
        Self::serve(tenancy, folder, app).await
    }

    async fn serve<S>(tenancy: Tenancy, folder: TempDir, app: Front<S>) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { tenancy, address, folder: folder.path().to_owned(), server, _folder: folder }
    }

    /// The tenant's site at `http://<host>/t/<slug>/`.
    pub(crate) fn by_path(&self, slug: &str) -> Site {
        Site::new(format!("http://{}/t/{slug}/", self.address).parse().unwrap())
    }

    /// The tenant's site at `http://<slug>.localhost/`.
    pub(crate) fn by_host(&self, slug: &str) -> Site {
        let url = format!("http://{slug}.localhost:{}/", self.address.port());
        Site::new(url.parse().unwrap()).connecting_to(self.address)
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn open(change: impl FnOnce(&mut Config)) -> (Tenancy, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    change(&mut config);
    let tenancy = Tenancy::with(config).await.unwrap();
    register(&tenancy, &["acme", "globex"]).await;
    (tenancy, folder)
}

/// The default configuration with its files in `folder`, and no limits that a busy test could run into.
pub(crate) fn config(folder: &Path) -> Config {
    let text = r#"
        [cookies]
        unsealed = ["theme"]
        [plans.default]
        requests_per_second = "none"
        burst = "none"
        in_flight_max = "none"
    "#;
    Config::parse(text, folder).unwrap()
}

/// An instance of the application for a tenant. When it is closed, so is its worker.
pub(crate) async fn notes(folder: PathBuf, tenant: TenantId) -> anyhow::Result<App> {
    let mut config = notes::Config::new(notes::Secret::new(SECRET)?);
    config.database_url = format!("sqlite://{}", folder.join(format!("notes-{tenant}.db")).display());
    config.files = folder.join(format!("files-{tenant}"));
    config.jobs_url = format!("sqlite://{}", folder.join(format!("jobs-{tenant}.db")).display());
    let (router, worker) = notes::app(config).await?;
    Ok(App::new(router).on_close(move || {
        let worker = worker.clone();
        async move { worker.stop().await }
    }))
}

pub(crate) async fn converted(tenancy: &Tenancy) -> anyhow::Result<Router> {
    let config = notes_saas::Config::new(notes_saas::Secret::new(SECRET)?);
    // Its worker ends with the test.
    let (router, _) = notes_saas::app(config, tenancy).await?;
    Ok(router)
}

const SECRET: &str = "one secret for all, as in the one installation";

/// Another process's view of the same catalog.
pub(crate) async fn elsewhere(deployment: &Deployment) -> Result<Tenancy, tenantry::OpenError> {
    Tenancy::with(config(&deployment.folder)).await
}

/// What creating a tenant that is there already says.
pub(crate) fn is_taken(error: &CatalogError) -> bool {
    matches!(error, CatalogError::NameTaken { .. })
}

/// Sends `request` as it is, and reads until the server closes the connection.
pub(crate) async fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
