//! `tenantry demo`: the notes application, as it is, for several tenants from one process.

mod addresses;
mod notes_app;
#[cfg(feature = "postgres")]
mod server;
mod template;

use std::{
    convert::Infallible,
    fs,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use axum::{
    Router,
    body::Body,
    http::Request,
    response::{Html, Response},
    routing::get,
};
#[cfg(feature = "postgres")]
use tenantry::config::ServerUrl;
use tenantry::{CatalogError, Front, NewTenant, Slug, Status, Stopped, Tenancy, config::Config, entrance::SignIn};
use tokio::net::TcpListener;
use tower_service::Service;

use self::{
    addresses::{Addresses, TryIt},
    notes_app::NotesApp,
};
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
    /// One instance and one database for all tenants, or an instance and a database for each
    #[arg(long, value_enum, default_value_t = Approach::Shared)]
    approach: Approach,
    /// Shared tables in this empty PostgreSQL database instead of a file; as a role that may create roles
    #[cfg(feature = "postgres")]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// How the tenants are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Approach {
    /// An instance of the application, as it is, for each tenant
    Instances,
    /// One instance of the converted application, and tables that all tenants share
    Shared,
}

impl Demo {
    pub(crate) async fn run(self, output: Output) -> Result<(), Failure> {
        create_folder(&self.data)?;
        let file = self.data.join(Config::FILE_NAME);
        write_config(&file, self.port)?;
        let config = self.config(&file).await?;
        let on_postgres = config.database.url.is_some();
        let template = config.trial.template.clone();
        let tenancy = Tenancy::with(config).await?;
        create_tenants(&tenancy).await?;
        let notes = NotesApp::open(&self.data)?;
        let failed = |error: anyhow::Error| Failure::other("demo", format!("{error:#}"));

        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listener = TcpListener::bind(wanted).await.map_err(|error| not_listening(&error, wanted))?;
        let addresses = async |try_it: TryIt| {
            let (slugs, port) = (tenants(&tenancy).await?, listener.local_addr()?.port());
            let addresses = Addresses::new(&slugs, port, &file, self.approach, try_it);
            let page = addresses.page();
            output.print(&addresses)?;
            Ok::<_, Failure>(Router::new().route("/", get(|| async { Html(page) })))
        };
        match self.approach {
            Approach::Instances => {
                let apex = addresses(TryIt::No).await?;
                let app = tenancy.dispatch(move |scope| notes.clone().build(scope)).apex(apex);
                serve(&tenancy, listener, app, output).await
            }
            Approach::Shared => {
                let app = match on_postgres {
                    #[cfg(feature = "postgres")]
                    true => notes.shared_on_postgres(&tenancy).await,
                    _ => notes.shared(&tenancy).await,
                };
                let (app, stop) = app.map_err(failed)?;
                let (entrance, trials, try_it) = self.trials(&tenancy, &app, template).await.map_err(failed)?;
                let apex = addresses(try_it).await?.merge(trials);
                let app = tenancy.wrap(app).entrance(entrance).apex(apex);
                serve(&tenancy, listener, app, output).await?;
                stop.await;
                Ok(())
            }
        }
    }

    /// How visitors are signed in, and what they get to try: nothing where the configuration in the folder is an older one.
    async fn trials(
        &self,
        tenancy: &Tenancy,
        app: &Router,
        named: Option<Slug>,
    ) -> anyhow::Result<(SignIn, Router, TryIt)> {
        let password = template::password(&self.data)?;
        let entrance = template::sign_in(&password);
        let Some(named) = named else {
            return Ok((entrance, Router::new(), TryIt::No));
        };
        template::prepare(tenancy, tenancy.wrap(app.clone()), &named, &password).await?;
        Ok((entrance, tenancy.trials()?.router(), TryIt::Yes))
    }

    /// The configuration in the folder, on the server that was asked for.
    #[cfg(feature = "postgres")]
    async fn config(&self, file: &Path) -> Result<Config, Failure> {
        let mut config = Config::load(file)?;
        if let Some(url) = &self.database {
            if self.approach == Approach::Instances {
                return Err(Failure::misused("--database is for --approach shared"));
            }
            let parsed = |url: String| ServerUrl::try_from(url).map_err(Failure::misused);
            config.database.application_url = Some(parsed(server::application_url(url, &self.data).await?)?);
            config.database.url = Some(parsed(url.clone())?);
        }
        Ok(config)
    }

    #[cfg(not(feature = "postgres"))]
    #[expect(clippy::unused_async, reason = "with PostgreSQL there is something to wait for")]
    async fn config(&self, file: &Path) -> Result<Config, Failure> {
        Ok(Config::load(file)?)
    }
}

async fn serve<S>(tenancy: &Tenancy, listener: TcpListener, app: Front<S>, output: Output) -> Result<(), Failure>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    tokio::select! {
        stopped = tenancy.serve(listener, app, interrupted()) => {
            if stopped? == Stopped::CutOff {
                output.hint("some answers were cut off after instances.drain_timeout");
            }
        }
        // Whoever asks twice does not want to wait.
        () = async { interrupted().await; interrupted().await } => {}
    }
    Ok(())
}

/// Creates a folder that its owner alone can look into: it keeps what customers write.
pub(crate) fn create_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        Failure::other("io", format!("the folder {} cannot be created: {error}", folder.display()))
            .hint("choose another one with --data")
    })
}

/// Writes the configuration, unless there is one that somebody may have changed.
fn write_config(file: &Path, port: u16) -> Result<(), Failure> {
    let config = CONFIG.replace("{port}", &port.to_string());
    let written = fs::OpenOptions::new().write(true).create_new(true).open(file);
    let written = written.and_then(|mut new| new.write_all(config.as_bytes()));
    match written {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Failure::other("io", format!("{} cannot be written: {error}", file.display())))
        }
        _ => Ok(()),
    }
}

/// The defaults, but for one cookie, and for trials.
const CONFIG: &str = "# The demo's configuration. docs/tenantry.toml lists everything that can be said here.

[cookies]
# The application's pages may read it by script, and it decides nothing.
unsealed = [\"theme\"]

[entrance]
# Where `tenantry tenant impersonate` and trials lead to. Change it with --port.
address = \"http://localhost:{port}/t/{tenant}\"

[trial]
# Filled by the demo. Whoever asks at /try gets a copy of it, for a while.
template = \"template\"
ttl = \"1h\"
keep = \"1h\"
warm = 2
";

/// Creates the two tenants unless they are there.
async fn create_tenants(tenancy: &Tenancy) -> Result<(), Failure> {
    for slug in ["acme", "globex"] {
        let slug = slug.parse().map_err(|error: tenantry::SlugError| Failure::misused(error.to_string()))?;
        match tenancy.catalog().create(NewTenant::new(slug)).await {
            Ok(_) | Err(CatalogError::NameTaken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tenancy.refresh().await?)
}

/// Those that are served and do not end.
async fn tenants(tenancy: &Tenancy) -> Result<Vec<Slug>, Failure> {
    let mut tenants = tenancy.catalog().page(None, TENANTS_LOOKED_AT_MAX).await?;
    tenants.retain(|tenant| tenant.status == Status::Active && tenant.expires_at.is_none());
    Ok(tenants.into_iter().map(|tenant| tenant.slug).take(TENANTS_SHOWN_MAX).collect())
}

const TENANTS_LOOKED_AT_MAX: u32 = 1000;

const TENANTS_SHOWN_MAX: usize = 20;

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
