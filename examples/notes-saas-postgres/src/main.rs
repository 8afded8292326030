//! Runs the notes application on its own.

use anyhow::Context;
use notes_saas_postgres::Config;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let config = Config::from_env()?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    let tenancy = tenantry::Tenancy::open("tenantry.toml").await?;
    let (app, worker) = notes_saas_postgres::app(config, &tenancy).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    tenancy.serve(listener, tenancy.wrap(app), interrupted()).await?;
    worker.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for Ctrl-C.
async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!("cannot wait for Ctrl-C: {error}");
        std::future::pending::<()>().await;
    }
}
