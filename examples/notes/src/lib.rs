//! Shared notes for one organisation: pages to write, tag, discuss and search
//! them, and a JSON API that does the same.

mod cache;
mod config;
#[cfg_attr(feature = "postgres", path = "postgres/db.rs")]
pub mod db;
#[cfg_attr(feature = "postgres", path = "postgres/dialect.rs")]
mod dialect;
mod directory;
mod error;
mod files;
mod flash;
mod form;
mod jobs;
pub mod models;
mod page;
mod password;
mod routes;
mod session;
mod state;
mod visitor;

pub use crate::config::{Config, Ldap, Secret};
pub use crate::jobs::Worker;
use crate::models::setting;
use crate::state::AppState;

/// Opens and prepares the database, puts the application together, and begins
/// to do its jobs.
pub async fn app(config: Config) -> anyhow::Result<(axum::Router, Worker)> {
    let db = db::connect(&config.database_url).await?;
    db::migrate(&db).await?;
    setting::seed(&db).await?;
    let cache = cache::new();
    let files = files::open(&config.files)?;
    let queue = jobs::open(&config.jobs_url).await?;
    let directory = directory::open(&config.ldap)?;
    let state = AppState::new(db, cache, files, queue, directory, &config.secret)?;
    let worker = Worker::start(&state.queue, &state.db)?;
    Ok((routes::router(state), worker))
}
