//! The database of an existing instance: found, opened to be read, looked through. Nothing of it is changed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use sqlx::{AssertSqlSafe, SqliteConnection};
use thiserror::Error;

use super::super::{companions::beside, template::Object};

/// What the source is called where it is attached. Applications have no such name.
pub(in crate::shared) const SOURCE: &str = "\"_tenantry_source\"";

/// Where sqlx notes which migrations have run: Tenantry's business, and none of the tenants' tables.
pub(in crate::shared) const MIGRATIONS: &str = "_sqlx_migrations";

/// Why a file cannot be read as the database of an instance.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no such file.
    #[error("{0} does not exist; check the path")]
    Missing(PathBuf),
    /// It is a folder, or something else that is no file.
    #[error("{0} is no file; name the SQLite file of the instance")]
    NoFile(PathBuf),
    /// It has no bytes.
    #[error("{0} is empty; name the SQLite file that the instance uses")]
    Empty(PathBuf),
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no database, or one that is encrypted.
    #[error("{0} is no SQLite database, or it is encrypted; name the file that the instance uses, decrypted")]
    NotSqlite(PathBuf),
    /// Its texts are stored as UTF-16.
    #[error(
        "{0} stores text as UTF-16, which cannot be read together with the shared database; write it anew with PRAGMA \
         encoding = 'UTF-8' (sqlite3's .dump into a new file)"
    )]
    Encoding(PathBuf),
    /// It is damaged.
    #[error("{path} is damaged: {detail}; restore it from a backup, or repair it with sqlite3's .recover")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// Another process has locked it.
    #[error("{0} is locked by another process; stop the instance that uses it")]
    Locked(PathBuf),
    /// The instance ended without closing it, and what it left has to be written back first.
    #[error("{0} was not closed; start and stop the instance once, or open and read the file with sqlite3")]
    Unclosed(PathBuf),
    /// It is a shared database of Tenantry.
    #[error("{0} is a shared database of Tenantry, not that of an instance; name the file that the instance used")]
    Ours(PathBuf),
    /// It has no tables.
    #[error("{0} has no tables; name the SQLite file that the instance uses")]
    NoTables(PathBuf),
    /// Rows refer to rows that are not there.
    #[error("{path} has rows that refer to missing ones: {}; repair them first", broken.join(", "))]
    ForeignKeys {
        /// The file.
        path: PathBuf,
        /// The first of them: table, row id, and table that is referred to.
        broken: Vec<String>,
    },
    /// SQLite says something else.
    #[error("{path} cannot be read: {error}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        error: sqlx::Error,
    },
}

/// A file that looks like a database.
#[derive(Debug)]
pub(super) struct Source {
    /// Without links and dots, so that it means the same to the next call.
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    uri: String,
    /// No process has it open, so that nothing needs to be locked; and what would tell if that changes.
    idle: Option<(u64, Option<SystemTime>)>,
}

impl Source {
    /// Looks at the file from outside.
    pub(super) fn find(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => SourceError::Missing(path.to_owned()),
            _ => SourceError::Unreadable { path: path.to_owned(), error },
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(SourceError::NoFile(path.to_owned()));
        }
        if metadata.len() == 0 {
            return Err(SourceError::Empty(path.to_owned()));
        }
        let path = path.canonicalize().map_err(unreadable)?;
        let header = header(&path).map_err(unreadable)?;
        let Some(header) = header.filter(|header| header.starts_with(b"SQLite format 3\0")) else {
            return Err(SourceError::NotSqlite(path));
        };
        if matches!(header[56..60], [0, 0, 0, 2 | 3]) {
            return Err(SourceError::Encoding(path));
        }
        // Who has a database with a write-ahead log open has the log; without one, nobody has. Then SQLite is told so, or
        // it would make a log and leave it there.
        let has = |end: &str| fs::metadata(beside(&path, end)).map(|metadata| metadata.len()).ok();
        let is_idle = header[18] == 2 && (has("-wal").is_none() || (has("-wal") == Some(0) && has("-shm").is_none()));
        let mut uri = format!("file:{}?mode=ro", encoded(&path));
        if is_idle {
            uri.push_str("&immutable=1");
        } else if has("-shm").is_some() {
            uri.push_str("&readonly_shm=1");
        }
        let idle = is_idle.then(|| (metadata.len(), metadata.modified().ok()));
        Ok(Self { path, bytes: metadata.len(), uri, idle })
    }

    /// Whether it is still so that nobody has written to it, as far as that was relied on.
    pub(super) fn is_as_found(&self) -> bool {
        let Some((bytes, modified)) = self.idle else { return true };
        let has_log = fs::metadata(beside(&self.path, "-wal")).is_ok_and(|metadata| metadata.len() > 0);
        let same = fs::metadata(&self.path).is_ok_and(|now| now.len() == bytes && now.modified().ok() == modified);
        same && !has_log
    }

    /// Makes it readable as [`SOURCE`] on a connection that is not in a transaction.
    pub(super) async fn attach(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        let attach = AssertSqlSafe(format!("ATTACH ? AS {SOURCE}"));
        sqlx::query(attach).bind(&self.uri).execute(&mut *connection).await.map_err(|error| self.failed(error))?;
        let text = AssertSqlSafe(format!("SELECT name FROM {SOURCE}.sqlite_schema WHERE type = 'table'"));
        let tables: Vec<String> =
            sqlx::query_scalar(text).fetch_all(connection).await.map_err(|error| self.failed(error))?;
        if tables.iter().any(|name| name == "_tenantry_meta") {
            return Err(SourceError::Ours(self.path.clone()));
        }
        if !tables.iter().any(|name| is_of_application(name)) {
            return Err(SourceError::NoTables(self.path.clone()));
        }
        Ok(())
    }

    /// Whether all of it can be read, and no row refers to a missing one.
    pub(super) async fn check(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        let text = AssertSqlSafe(format!("PRAGMA {SOURCE}.quick_check(1)"));
        let checked = sqlx::query_scalar(text).fetch_one(&mut *connection).await;
        let said: String = checked.map_err(|error| self.failed(error))?;
        if said != "ok" {
            return Err(SourceError::Corrupt { path: self.path.clone(), detail: said });
        }
        let text = AssertSqlSafe(format!("PRAGMA {SOURCE}.foreign_key_check"));
        let mut broken = Vec::new();
        {
            use futures_util::TryStreamExt;
            let mut rows = sqlx::query_as::<_, (String, Option<i64>, String, i64)>(text).fetch(connection);
            while let Some((table, row, parent, _)) = rows.try_next().await.map_err(|error| self.failed(error))? {
                let row = row.map(|row| format!(" row {row}")).unwrap_or_default();
                broken.push(format!("{table}{row} to {parent}"));
                if broken.len() == BROKEN_MAX {
                    break;
                }
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(SourceError::ForeignKeys { path: self.path.clone(), broken }) }
    }

    /// The application's schema, in the order of its creation.
    pub(super) async fn objects(&self, connection: &mut SqliteConnection) -> Result<Vec<Object>, SourceError> {
        let text = format!("SELECT type, name, tbl_name, rootpage, sql FROM {SOURCE}.sqlite_schema ORDER BY _rowid_");
        let objects = sqlx::query_as(AssertSqlSafe(text)).fetch_all(connection).await;
        let objects: Vec<Object> = objects.map_err(|error| self.failed(error))?;
        let own = |object: &Object| is_of_application(&object.name) && object.tbl_name != MIGRATIONS;
        Ok(objects.into_iter().filter(|object| object.sql.is_some() && own(object)).collect())
    }

    /// What an error of SQLite says about the source.
    pub(super) fn failed(&self, error: sqlx::Error) -> SourceError {
        let path = self.path.clone();
        let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
        // The low byte is the error, the rest a detail of it: <https://sqlite.org/rescode.html>.
        match code.map(|code| code & 0xff) {
            Some(libsqlite3_sys::SQLITE_NOTADB) => SourceError::NotSqlite(path),
            Some(libsqlite3_sys::SQLITE_CORRUPT) => SourceError::Corrupt { path, detail: error.to_string() },
            Some(libsqlite3_sys::SQLITE_BUSY | libsqlite3_sys::SQLITE_LOCKED) => SourceError::Locked(path),
            Some(libsqlite3_sys::SQLITE_READONLY | libsqlite3_sys::SQLITE_CANTOPEN) => SourceError::Unclosed(path),
            _ => SourceError::Database { path, error },
        }
    }
}

/// Makes a database of ours readable as [`SOURCE`] on a connection that is not in a transaction. Others may use it.
pub(in crate::shared) async fn attach(connection: &mut SqliteConnection, file: &Path) -> Result<(), sqlx::Error> {
    let attach = AssertSqlSafe(format!("ATTACH ? AS {SOURCE}"));
    sqlx::query(attach).bind(format!("file:{}?mode=ro", encoded(file))).execute(connection).await.map(drop)
}

/// Whether a name is none of SQLite's, and not the table that notes migrations.
pub(in crate::shared) fn is_of_application(name: &str) -> bool {
    name != MIGRATIONS && !name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}

/// As many broken references as are told.
const BROKEN_MAX: usize = 5;

/// The first bytes, if there are as many (<https://sqlite.org/fileformat.html> §1.3).
fn header(path: &Path) -> io::Result<Option<[u8; 100]>> {
    let mut header = [0; 100];
    match File::open(path)?.read_exact(&mut header) {
        Ok(()) => Ok(Some(header)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// A path as SQLite reads it in a URI.
pub(in crate::shared) fn encoded(path: &Path) -> String {
    let mut encoded = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                encoded.push(char::from(*byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(encoded(Path::new("/a b/é?#%.db")), "/a%20b/%C3%A9%3F%23%25.db");
    }
}
