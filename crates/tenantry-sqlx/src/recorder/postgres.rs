//! A schema on a server that writes down what is run in it, and is gone afterwards.

use std::{
    fmt, io, mem,
    sync::{Arc, PoisonError},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode, PgTransactionManager},
};
use sqlx_core::transaction::TransactionManager;
use tempfile::TempDir;
use tenantry_sql::Dialect;
use tokio::{net::UnixListener, task::JoinHandle};

use super::wire::{self, Sent};
use crate::native::{Log, Ran};

/// A schema of its own on a server, in a transaction that is never committed. It writes down what is run in it as a text
/// without parameters.
///
/// What has values is for whoever binds them to write down, by [`PgRecorder::adder`]: on their way to the server they cannot
/// be read.
///
/// The server is reached by way of a socket of its own, where what is said is read.
pub struct PgRecorder {
    pool: PgPool,
    log: Log,
    passing: JoinHandle<()>,
    _folder: TempDir,
}

impl PgRecorder {
    /// Begins in a database, as a role that may create schemas there.
    ///
    /// # Errors
    ///
    /// When there is no connection, or the role may not create a schema.
    pub async fn open(database: PgConnectOptions) -> Result<Self, sqlx::Error> {
        let folder = TempDir::new()?;
        let listener = UnixListener::bind(folder.path().join(format!(".s.PGSQL.{}", database.get_port())))?;
        // What is sealed from here to there cannot be read on its way.
        let here = database.clone().socket(folder.path()).ssl_mode(PgSslMode::Disable);
        let log = Log::default();
        #[expect(clippy::disallowed_methods, reason = "no tenant is served by it")]
        let passing = tokio::spawn(pass_all(listener, database, Arc::clone(&log)));
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .after_connect(|connection, _| Box::pin(begin(connection)));
        let pool = pool.connect_with(here).await?;
        let recorder = Self { pool, log, passing, _folder: folder };
        recorder.take();
        Ok(recorder)
    }

    /// Its one connection.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What writes down that a statement was run, with its values in its text.
    pub fn adder(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let log = Arc::clone(&self.log);
        move |text| add(&log, text)
    }

    /// What was run since this was called last.
    pub fn take(&self) -> Vec<Ran> {
        mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for PgRecorder {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

impl fmt::Debug for PgRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgRecorder").finish_non_exhaustive()
    }
}

/// Makes the schema.
async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let own = "SELECT 'tenantry_recording_' || pg_catalog.pg_backend_pid()";
    let own: String = sqlx::query_scalar(own).fetch_one(&mut *connection).await?;
    // It is not committed, and not undone before the connection is closed: what is begun later is a savepoint in it.
    PgTransactionManager::begin(connection, None).await?;
    // Types of extensions that are installed already are in `public`.
    let schema = format!("CREATE SCHEMA {own}; SET LOCAL search_path = {own}, public");
    sqlx::raw_sql(AssertSqlSafe(schema)).execute(connection).await.map(drop)
}

async fn pass_all(listener: UnixListener, database: PgConnectOptions, log: Log) {
    loop {
        let passed: io::Result<()> = async {
            let (client, _) = listener.accept().await?;
            let look = |sent: Sent<'_>| look(&sent, &log);
            wire::pass(client, &database, look).await
        }
        .await;
        if let Err(error) = passed {
            tracing::debug!(error = &error as &dyn std::error::Error, "a connection for recording ended");
        }
    }
}

/// Writes down what has no values, and refuses what would end the transaction.
fn look(sent: &Sent<'_>, log: &Log) -> Result<(), String> {
    let (Sent::Query(text) | Sent::Parse(text)) = sent;
    // What cannot be read is refused by the server.
    let script = Dialect::Postgres.statements(text).unwrap_or_default();
    let ends = script.iter().find(|statement| ends_transaction(statement));
    // The first is our own.
    if let Some(statement) = ends.filter(|_| **text != *"BEGIN") {
        return Err(format!("`{statement}` would end what nothing is to be left of; leave it out"));
    }
    if let Sent::Query(_) = sent {
        script.iter().for_each(|statement| add(log, statement));
    }
    Ok(())
}

fn ends_transaction(statement: &str) -> bool {
    let mut words = statement.split_whitespace().map(str::to_ascii_lowercase);
    let first = words.next();
    match first.as_deref() {
        Some("rollback" | "abort") => !words.any(|word| word == "to"),
        Some("begin" | "start" | "commit" | "end") => true,
        Some("prepare") => words.next().is_some_and(|word| word == "transaction"),
        _ => false,
    }
}

fn add(log: &Log, text: &str) {
    let ran = Ran { text: text.to_owned(), changes: true };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(ran);
}
