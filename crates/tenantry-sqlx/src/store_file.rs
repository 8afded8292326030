//! A store's SQLite file: opening it, and the making of its tables.
//!
//! SQLite keeps two numbers in the head of a file: the application it belongs to, and a version that the application counts.

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use thiserror::Error;

use crate::owner_only;

/// A file that is open, with one connection: writers come one after the other anyway, and there is hardly anything else.
pub(crate) struct StoreFile {
    path: PathBuf,
    pub(crate) pool: SqlitePool,
}

/// What is in the file of a store.
pub(crate) struct Contents {
    /// In a word: `jobs`.
    pub(crate) what: &'static str,
    /// The application in its head.
    pub(crate) application: i64,
    /// The version of the tables.
    pub(crate) version: i64,
    /// Makes the tables, and the head.
    pub(crate) make: &'static str,
    /// What a write has to survive.
    pub(crate) synchronous: SqliteSynchronous,
}

impl StoreFile {
    /// Opens the file, and makes it when it is missing, with mode 0600.
    pub(crate) async fn open(
        path: &Path,
        busy_timeout: Duration,
        contents: Contents,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        owner_only::create(path)?;
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(contents.synchronous)
            .busy_timeout(busy_timeout)
            // They would fill every debug log, with what nobody should see in there.
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(busy_timeout + ACQUIRE_SLACK);
        let file = Self { path: path.to_owned(), pool: pool.connect_with(connect).await? };
        file.prepare(contents).await??;
        Ok(file)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    async fn prepare(&self, contents: Contents) -> Result<Result<(), Failure>, sqlx::Error> {
        let Contents { what, application, version, make, .. } = contents;
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let head = sqlx::query(HEAD).fetch_one(&mut *transaction).await?;
        match (head.try_get(0)?, head.try_get(1)?, head.try_get::<i64, _>(2)?) {
            (found, known, _) if found == application && known == version => return Ok(Ok(())),
            (found, newer, _) if found == application => {
                return Ok(Err(Failure::Newer { found: newer, known: version }));
            }
            (0, 0, 0) => {}
            _ => return Ok(Err(Failure::Foreign { what })),
        }
        sqlx::raw_sql(make).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    }
}

/// Why the file cannot be used, where SQLite does not say.
#[derive(Debug, Error)]
enum Failure {
    #[error("the file is a database of something else; give the {what} a file of their own")]
    Foreign { what: &'static str },
    #[error("the file was written by another version of Tenantry (tables {found}, this one knows {known}); update it")]
    Newer { found: i64, known: i64 },
}

const HEAD: &str = "
    SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
    FROM pragma_application_id, pragma_user_version";

/// How much longer than for a lock an operation waits for the connection.
const ACQUIRE_SLACK: Duration = Duration::from_secs(1);
