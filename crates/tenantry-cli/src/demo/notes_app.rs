//! How the notes application is set up for each tenant.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
};

use axum::Router;
use tenantry::{App, MasterKeys, Purpose, Scope, Tenancy, TenantId};

use super::create_folder;
use crate::failure::Failure;

/// Waits for the jobs that were begun.
pub(super) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A database for each tenant, and one secret for all of them: as if the one environment variable of the one
/// installation had been left as it was.
#[derive(Clone)]
pub(super) struct NotesApp {
    databases: PathBuf,
    secret_bytes: Vec<u8>,
}

impl NotesApp {
    /// With everything below `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let databases = folder.join("notes");
        create_folder(&databases)?;
        // Kept apart from the deployment's own keys, which no application gets to see.
        let keys = MasterKeys::load_or_create(folder.join("notes.key"))?;
        let secret = keys.current(Purpose::new("secret of the notes demo"), TenantId::new(0));
        Ok(Self { databases, secret_bytes: secret.secret().to_vec() })
    }

    /// What the converted application's own `main` does.
    pub(super) async fn shared(self, tenancy: &Tenancy) -> anyhow::Result<(Router, Stop)> {
        let config = notes_saas::Config::new(notes_saas::Secret::new(self.secret_bytes)?);
        let (router, worker) = notes_saas::app(config, tenancy).await?;
        Ok((router, Box::pin(async move { worker.stop().await })))
    }

    /// The same on PostgreSQL.
    #[cfg(feature = "postgres")]
    pub(super) async fn shared_on_postgres(self, tenancy: &Tenancy) -> anyhow::Result<(Router, Stop)> {
        let config = notes_saas_postgres::Config::new(notes_saas_postgres::Secret::new(self.secret_bytes)?);
        let (router, worker) = notes_saas_postgres::app(config, tenancy).await?;
        Ok((router, Box::pin(async move { worker.stop().await })))
    }

    /// What the application's own `main` does, but for one tenant.
    pub(super) async fn build(self, scope: Scope) -> anyhow::Result<App> {
        let mut config = notes::Config::new(notes::Secret::new(self.secret_bytes)?);
        config.database_url = format!("sqlite://{}", self.databases.join(format!("{}.db", scope.id())).display());
        config.files = self.databases.join(format!("{}-files", scope.id()));
        config.jobs_url = format!("sqlite://{}", self.databases.join(format!("{}-jobs.db", scope.id())).display());
        let (router, worker) = notes::app(config).await?;
        Ok(App::new(router).on_close(move || {
            let worker = worker.clone();
            async move { worker.stop().await }
        }))
    }
}
