//! Shared notes for one organisation: pages to write, tag, discuss and search
//! them, and a JSON API that does the same.

mod cache;
#[path = "../../notes/src/config.rs"]
mod config;
pub mod db;
#[path = "../../notes/src/dialect.rs"]
mod dialect;
mod directory;
#[path = "../../notes/src/error.rs"]
mod error;
mod files;
#[path = "../../notes/src/flash.rs"]
mod flash;
#[path = "../../notes/src/form.rs"]
mod form;
mod jobs;
#[path = "../../notes/src/models/mod.rs"]
pub mod models;
#[path = "../../notes/src/page.rs"]
mod page;
#[path = "../../notes/src/password.rs"]
mod password;
#[path = "../../notes/src/routes/mod.rs"]
mod routes;
#[path = "../../notes/src/session.rs"]
mod session;
#[path = "../../notes/src/state.rs"]
mod state;
#[path = "../../notes/src/visitor.rs"]
mod visitor;

pub use crate::config::{Config, Ldap, Secret};
pub use crate::jobs::Worker;
use crate::models::setting;
use crate::state::AppState;

/// Opens and prepares the database, puts the application together, and begins
/// to do its jobs.
pub async fn app(config: Config, tenancy: &tenantry::Tenancy) -> anyhow::Result<(axum::Router, Worker)> {
    let db = tenancy.sqlite().on_first_use(|db| async move { setting::seed(&db).await });
    db::migrate(&db).await?;
    let cache = tenancy.cache();
    let files = tenancy.uploads();
    let queue = tenancy.jobs().await?.queue("digests");
    let directory = tenancy.directory(tenancy.settings::<directory::Own>().await?, |own| &own.directory).await?;
    let state = AppState::new(db, cache, files, queue, directory, &config.secret)?;
    let worker = Worker::start(&state.queue, &state.db)?;
    Ok((routes::router(state), worker))
}
