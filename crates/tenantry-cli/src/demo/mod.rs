//! `tenantry demo`: the notes application, as it is, for several tenants from one process.

mod addresses;
mod notes_app;

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use axum::{Router, response::Html, routing::get};
use tenantry::{CatalogError, NewTenant, Slug, Tenancy, config::Config};
use tokio::net::TcpListener;

use self::{addresses::Addresses, notes_app::NotesApp};
use crate::{failure::Failure, output::Output};

/// Serves the notes application for the tenants acme and globex, until Ctrl-C.
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
    pub(crate) async fn run(self, output: Output) -> Result<(), Failure> {
        create_folder(&self.data)?;
        let tenancy = Tenancy::with(config(&self.data)).await?;
        let slugs = tenants(&tenancy).await?;
        let notes = NotesApp::open(&self.data)?;

        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listener = TcpListener::bind(wanted).await.map_err(|error| not_listening(&error, wanted))?;
        let addresses = Addresses::new(&slugs, listener.local_addr()?.port());
        let page = addresses.page();
        let app = tenancy
            .dispatch(move |scope| notes.clone().build(scope))
            .apex(Router::new().route("/", get(|| async { Html(page) })));
        output.print(&addresses)?;

        axum::serve(listener, app).with_graceful_shutdown(interrupted()).await?;
        if !tenancy.shut_down().await {
            output.hint("some answers were cut off after instances.drain_timeout");
        }
        Ok(())
    }
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| {
        Failure::other("io", format!("the folder {} cannot be created: {error}", folder.display()))
            .hint("choose another one with --data")
    })
}

/// The defaults, with everything in one folder. The application's pages read `theme` by script, so it is not sealed.
fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.catalog.path = folder.join("tenantry.db");
    config.keys.file = folder.join("tenantry.key");
    config.cookies.unsealed = vec!["theme".to_owned()];
    config
}

/// Creates the two tenants unless they are there, and lists all.
async fn tenants(tenancy: &Tenancy) -> Result<Vec<Slug>, Failure> {
    for slug in ["acme", "globex"] {
        let slug = slug.parse().map_err(|error: tenantry::SlugError| Failure::misused(error.to_string()))?;
        match tenancy.catalog().create(NewTenant::new(slug)).await {
            Ok(_) | Err(CatalogError::NameTaken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    tenancy.refresh().await?;
    let tenants = tenancy.catalog().page(None, TENANTS_SHOWN_MAX).await?;
    Ok(tenants.into_iter().map(|tenant| tenant.slug).collect())
}

const TENANTS_SHOWN_MAX: u32 = 20;

fn not_listening(error: &io::Error, address: SocketAddr) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "something listens there already: stop it, or choose another port with --port",
        _ => "choose another port with --port",
    };
    Failure::other("io", format!("cannot listen on {address}: {error}")).hint(hint)
}

/// Until Ctrl-C, or until whoever started this asks it to end.
async fn interrupted() {
    let terminated = async {
        #[cfg(unix)]
        if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            signal.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
