//! Deployments to measure.

#[cfg(feature = "postgres")]
pub mod postgres;
pub mod step;
pub mod tables;

use std::path::Path;

use axum::{Router, routing::get};
use tenantry::{Front, NewTenant, Tenancy, config::Config, tower::Dispatch};

/// The default configuration with its files in `folder`, a default plan whose limits are counted but never reached, and
/// a plan `small` whose limits are.
///
/// # Errors
///
/// When the text below is wrong.
pub fn config(folder: &Path) -> anyhow::Result<Config> {
    let text = r#"
        [plans.default]
        requests_per_second = 100000000
        burst = 100000000
        in_flight_max = 1000000
        [plans.small]
        requests_per_second = 100
        burst = 100
        in_flight_max = 4
    "#;
    Ok(Config::parse(text, folder)?)
}

/// A deployment with so many tenants, named `t1`, `t2` and so on.
///
/// # Errors
///
/// When the catalog cannot be written.
pub async fn tenancy(folder: &Path, tenants: u32) -> anyhow::Result<Tenancy> {
    let tenancy = Tenancy::with(config(folder)?).await?;
    for number in 1..=tenants {
        tenancy.catalog().create(NewTenant::new(format!("t{number}").parse()?)).await?;
    }
    tenancy.refresh().await?;
    Ok(tenancy)
}

/// An application whose handler does nothing.
pub fn idle() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// The same, dispatched.
pub fn dispatched(tenancy: &Tenancy) -> Front<Dispatch> {
    tenancy.dispatch(|_| std::future::ready(Ok::<_, std::io::Error>(idle())))
}
