//! A database in memory that writes down what is run on it.

use std::{fmt, mem, sync::PoisonError, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::native::{self, Log, Ran};

/// A database in memory that writes down what is run on it, for libraries whose migrations are code: they run here first,
/// and what they ran becomes a migration for all tenants.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sqlx::Error> {
/// use tenantry_sqlx::recorder::Recorder;
///
/// let recorder = Recorder::open().await?;
/// sqlx::query("CREATE TABLE cake (name)").execute(recorder.pool()).await?;
/// sqlx::query("INSERT INTO cake VALUES (?)").bind("cheesecake").execute(recorder.pool()).await?;
/// let ran = recorder.take();
/// assert_eq!(ran[1].text, "INSERT INTO cake VALUES ('cheesecake')");
/// # Ok(())
/// # }
/// ```
pub struct Recorder {
    pool: SqlitePool,
    log: Log,
}

impl Recorder {
    /// An empty database.
    ///
    /// # Errors
    ///
    /// When there is no memory for it.
    pub async fn open() -> Result<Self, sqlx::Error> {
        let log = Log::default();
        let recording = Log::clone(&log);
        // The database is the connection's: it is the only one, and stays.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .after_connect(move |connection, _| {
                let log = Log::clone(&recording);
                Box::pin(async move { native::record(connection, log).await })
            });
        let pool = pool.connect_with(SqliteConnectOptions::new().in_memory(true)).await?;
        Ok(Self { pool, log })
    }

    /// Its one connection.
    pub const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// What was run since this was called last.
    pub fn take(&self) -> Vec<Ran> {
        mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
