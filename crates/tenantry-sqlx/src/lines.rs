//! A store's connections to PostgreSQL, and the making of its tables.

use std::{
    error::Error,
    marker::PhantomData,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use thiserror::Error;

use crate::line::Line;

/// A few connections to one database, taken in turn by operations that may each take so long. `E` says when it cannot be used.
pub(crate) struct Lines<const N: usize, E> {
    place: String,
    timeout: Duration,
    lines: [Line; N],
    next: AtomicUsize,
    error: PhantomData<fn() -> E>,
}

/// A store's way to say that its database cannot be used.
pub(crate) trait Unavailable {
    fn at(place: String, source: Box<dyn Error + Send + Sync>) -> Self;
}

/// The tables of a store, in a schema of their own.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    /// Whether they are there.
    pub(crate) is_there: &'static str,
    /// Makes them.
    pub(crate) make: &'static str,
    /// Which version they are.
    pub(crate) version: &'static str,
    /// Which version this is.
    pub(crate) known: i64,
    /// Whoever makes them holds this advisory lock.
    pub(crate) lock: i64,
}

impl<const N: usize, E: Unavailable> Lines<N, E> {
    /// Opens the first one, and makes the tables if they are not there. The server knows the connections by `name`, unless the
    /// options have another.
    pub(crate) async fn open(
        options: PgConnectOptions,
        name: &str,
        timeout: Duration,
        tables: Tables,
    ) -> Result<Self, E> {
        let lines = Self::new(options, name, timeout);
        let found = lines.run(async |connection| prepare(connection, tables).await).await?;
        if found == tables.known {
            return Ok(lines);
        }
        Err(lines.unavailable(Failure::Newer { found, known: tables.known }))
    }

    fn new(options: PgConnectOptions, name: &str, timeout: Duration) -> Self {
        let (host, port) = (options.get_host().to_owned(), options.get_port());
        let place = format!("{host}:{port}/{}", options.get_database().unwrap_or(options.get_username()));
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name(name),
        };
        // They would fill every debug log, with what nobody should see in there.
        let options = options.disable_statement_logging();
        let lines = std::array::from_fn(|_| Line::new(options.clone()));
        Self { place, timeout, lines, next: AtomicUsize::new(0), error: PhantomData }
    }

    /// Which database it is, without what is secret.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Runs something on one of the connections, but not for ever: a server that is cut off says nothing.
    pub(crate) async fn run<T>(
        &self,
        operation: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, E> {
        let line = &self.lines[self.next.fetch_add(1, Ordering::Relaxed) % N];
        let run = async {
            let mut taken = line.take().await?;
            let outcome = operation(&mut taken).await?;
            taken.give_back();
            Ok::<_, sqlx::Error>(outcome)
        };
        match tokio::time::timeout(self.timeout, run).await {
            Ok(outcome) => outcome.map_err(|error| self.unavailable(error)),
            Err(_) => Err(self.unavailable(Failure::Silent { waited: self.timeout })),
        }
    }

    /// Why the database cannot be used.
    pub(crate) fn unavailable(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> E {
        E::at(self.place.clone(), source.into())
    }

    /// Closes the connections. Later operations make new ones.
    pub(crate) async fn close(&self) {
        for line in &self.lines {
            line.close().await;
        }
    }
}

/// Makes the tables if they are not there, and says which version they are.
async fn prepare(connection: &mut PgConnection, tables: Tables) -> Result<i64, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(tables.lock).execute(&mut *transaction).await?;
    let is_there: bool = sqlx::query_scalar(tables.is_there).fetch_one(&mut *transaction).await?;
    if !is_there {
        sqlx::raw_sql(tables.make).execute(&mut *transaction).await?;
    }
    let version = sqlx::query_scalar(tables.version).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(version)
}

/// Why the database cannot be used, where PostgreSQL does not say.
#[derive(Debug, Error)]
enum Failure {
    #[error("the tables were made by another version of Tenantry (tables {found}, this one knows {known}); update it")]
    Newer { found: i64, known: i64 },
    #[error("the server has not answered within {waited:?}")]
    Silent { waited: Duration },
}
