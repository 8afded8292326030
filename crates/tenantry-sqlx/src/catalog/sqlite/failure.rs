//! What can go wrong with the file, in words that say what to do.

use std::{error::Error, io, path::PathBuf, time::Duration};

use tenantry_core::CatalogError;
use thiserror::Error;

/// Where the catalog is, for messages about it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) busy_timeout: Duration,
}

impl Place {
    /// A failure of the database.
    pub(super) fn failed(&self, error: sqlx::Error) -> CatalogError {
        // SQLite's result codes (https://sqlite.org/rescode.html): the last byte is the kind, the rest is detail.
        let code = result_code(&error);
        if code == Some(SQLITE_READONLY_DBMOVED) {
            return self.unavailable(Failure::Moved { source: error });
        }
        match code.map(|code| code & 0xff) {
            Some(SQLITE_CORRUPT) => self.corrupt("a page of it cannot be read; restore a backup"),
            Some(SQLITE_NOTADB) => self.corrupt("it is not a SQLite database"),
            Some(SQLITE_BUSY | SQLITE_LOCKED) => {
                self.unavailable(Failure::Locked { waited: self.busy_timeout, source: error })
            }
            Some(SQLITE_READONLY) => self.unavailable(Failure::ReadOnly { source: error }),
            Some(SQLITE_FULL) => self.unavailable(Failure::Full { source: error }),
            _ => self.unavailable(error),
        }
    }

    /// A failure of the file itself.
    pub(super) fn missing(&self, error: io::Error) -> CatalogError {
        if error.kind() != io::ErrorKind::NotFound {
            return self.unavailable(error);
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        self.unavailable(match folder {
            Some(folder) => Failure::NoFolder { folder: folder.to_owned() },
            None => Failure::NoFile,
        })
    }

    /// The store does not do what was asked, for this reason.
    pub(super) fn unavailable(&self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> CatalogError {
        CatalogError::Unavailable { place: self.to_string(), source: cause.into() }
    }

    /// The store has something in it that a catalog does not have.
    pub(super) fn corrupt(&self, detail: impl Into<String>) -> CatalogError {
        CatalogError::Corrupt { place: self.to_string(), detail: detail.into() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Why the catalog is not available, where there is more to say than SQLite says.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The file has nothing in it.
    #[error("the file is empty; restore a backup, or remove it to start anew")]
    Empty,
    /// The file is a database of something else.
    #[error("the file is a database of something else; give the catalog a file of its own")]
    Foreign,
    /// The disk is full.
    #[error("the disk is full")]
    Full { source: sqlx::Error },
    /// Somebody else holds the lock.
    #[error("another process has kept the file locked for {waited:?}; see which one has it open")]
    Locked { waited: Duration, source: sqlx::Error },
    /// The file lost its name during a write.
    #[error("the file was moved or replaced just now; try again")]
    Moved { source: sqlx::Error },
    /// The tables are from a later version.
    #[error("the file was written by a newer version of Tenantry (tables {found}, this one knows {known}); update it")]
    Newer { found: i64, known: i64 },
    /// There is no file.
    #[error("the file does not exist; check the path, or create a tenant to start anew")]
    NoFile,
    /// There is no folder for the file.
    #[error("the folder {} does not exist; create it, or check the path", folder.display())]
    NoFolder { folder: PathBuf },
    /// The file may not be written.
    #[error("the file is read-only for this user; it and its folder have to be writable")]
    ReadOnly { source: sqlx::Error },
}

fn result_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_READONLY: i32 = 8;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_NOTADB: i32 = 26;
const SQLITE_READONLY_DBMOVED: i32 = 1032;

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};

    use super::*;

    #[tokio::test]
    async fn what_sqlite_says_is_put_into_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let place = Place { path: path.clone(), busy_timeout: Duration::ZERO };
        let told = |error| place.failed(error).source().map(ToString::to_string);

        let mut full = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
        full.execute("CREATE TABLE a (b); PRAGMA max_page_count = 2").await.unwrap();
        let error = full.execute("INSERT INTO a SELECT randomblob(100000)").await.unwrap_err();
        assert_eq!(told(error).as_deref(), Some("the disk is full"));
        full.close().await.unwrap();

        let mut moved = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        moved.execute("SELECT * FROM a").await.unwrap();
        std::fs::rename(&path, folder.path().join("moved.db")).unwrap();
        let error = moved.execute("INSERT INTO a VALUES (1)").await.unwrap_err();
        assert_eq!(told(error).as_deref(), Some("the file was moved or replaced just now; try again"));
        moved.close().await.unwrap();
        std::fs::rename(folder.path().join("moved.db"), &path).unwrap();

        let mut read = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await.unwrap();
        let error = read.execute("INSERT INTO a VALUES (1)").await.unwrap_err();
        let expected = "the file is read-only for this user; it and its folder have to be writable";
        assert_eq!(told(error).as_deref(), Some(expected));
    }
}
