//! `tenantry demo`: the notes application, as it is, for several tenants from one process.

mod page;

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::Context;
use axum::{Router, response::Html, routing::get};
use tenantry::{CatalogError, Code, NewTenant, Refusal, Scope, Slug, Tenancy, config::Config};
use tokio::net::TcpListener;

/// Serves the notes application for the tenants `acme` and `globex`.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The port to listen on, at 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The folder that keeps the tenants and their notes
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
}

impl Demo {
    /// Serves until Ctrl-C, and closes every application before it returns. `say` shows a line to the user.
    pub(crate) async fn run(self, say: impl Fn(&str)) -> anyhow::Result<()> {
        let folder = self.data;
        fs::create_dir_all(&folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let tenancy = Tenancy::with(config(&folder)).await?;
        let slugs = tenants(&tenancy).await?;

        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listener = TcpListener::bind(address).await.map_err(|error| port_refusal(&error, address))?;
        let port = listener.local_addr()?.port();
        let (front_page, lines) = (page::front(&slugs, port), page::lines(&slugs, port));

        let notes = Notes::open(folder)?;
        let app = tenancy
            .dispatch(move |scope| notes.clone().build(scope))
            .apex(Router::new().route("/", get(|| async { Html(front_page) })));
        lines.iter().for_each(|line| say(line));
        axum::serve(listener, app).with_graceful_shutdown(interrupted()).await?;
        say("stopping");
        if !tenancy.shut_down().await {
            tracing::warn!("some requests were cut off after instances.drain_timeout");
        }
        Ok(())
    }
}

/// The defaults, with everything in one folder. `theme` is read by the pages' own style, so it is not sealed.
fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.catalog.path = folder.join("tenantry.db");
    config.keys.file = folder.join("tenantry.key");
    config.cookies.unsealed = vec!["theme".to_owned()];
    config
}

/// Creates the two tenants unless they are there, and lists all.
async fn tenants(tenancy: &Tenancy) -> anyhow::Result<Vec<Slug>> {
    for slug in ["acme", "globex"] {
        match tenancy.catalog().create(NewTenant::new(slug.parse()?)).await {
            Ok(_) | Err(CatalogError::NameTaken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    tenancy.refresh().await?;
    let tenants = tenancy.catalog().page(None, TENANTS_SHOWN_MAX).await?;
    Ok(tenants.into_iter().map(|tenant| tenant.slug).collect())
}

const TENANTS_SHOWN_MAX: u32 = 20;

/// How the notes application is set up for each tenant: a database of its own, and the same secret for all, as if the
/// one environment variable of the one installation had been left as it was.
#[derive(Clone)]
struct Notes {
    folder: PathBuf,
    secret: notes::Secret,
}

impl Notes {
    fn open(folder: PathBuf) -> anyhow::Result<Self> {
        let databases = folder.join("notes");
        fs::create_dir_all(&databases).with_context(|| format!("cannot create the folder {}", databases.display()))?;
        // The keys of the deployment would do as well, but the application is not to know them.
        let file = folder.join("notes.key");
        let keys = tenantry::MasterKeys::load_or_create(&file)?;
        let secret = keys.current(SECRET, tenantry::TenantId::new(0));
        Ok(Self { folder: databases, secret: notes::Secret::new(secret.secret().to_vec())? })
    }

    async fn build(self, scope: Scope) -> anyhow::Result<Router> {
        let database = self.folder.join(format!("{}.db", scope.id()));
        notes::app(notes::Config {
            database_url: format!("sqlite://{}", database.display()),
            secret: self.secret,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        })
        .await
    }
}

const SECRET: tenantry::Purpose = tenantry::Purpose::new("notes demo");

fn port_refusal(error: &io::Error, address: SocketAddr) -> anyhow::Error {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "something else listens there: stop it, or choose another port with --port",
        io::ErrorKind::PermissionDenied => "choose a port above 1023 with --port",
        _ => "choose another port with --port",
    };
    anyhow::anyhow!("cannot listen on {address}: {error}\nhint: {hint}")
}

/// Until Ctrl-C, or until whoever started this asks it to end.
async fn interrupted() {
    let terminate = async {
        #[cfg(unix)]
        if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            signal.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
