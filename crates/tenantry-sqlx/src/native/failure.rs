//! Errors of the shared database, as a private one would say them.

use std::{borrow::Cow, error::Error as StdError, fmt};

use sqlx::error::{DatabaseError, ErrorKind};

use super::{
    session::Session,
    table::{CHECK, MOVED_MESSAGE},
};

/// Says an error of the shared database as a private one would: without the column of the tenant, without constraints
/// that only the shared table has, and with a name for what was denied.
pub(crate) fn translate(error: sqlx::Error, session: &Session) -> sqlx::Error {
    let sqlx::Error::Database(original) = error else { return error };
    match said(&*original, session) {
        Some((message, code)) => sqlx::Error::Database(Box::new(Translated { original, message, code })),
        None => sqlx::Error::Database(original),
    }
}

/// Whether another connection holds a lock.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    // Extended codes have the kind in their lowest byte (<https://sqlite.org/rescode.html>).
    code.and_then(|code| code.parse::<Code>().ok()).is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

/// Whether a change was refused because the rows have been moved.
pub(crate) fn is_moved(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message() == MOVED_MESSAGE)
}

/// The message and the result code that a private database would give, if they are other ones.
fn said(original: &dyn DatabaseError, session: &Session) -> Option<(String, Code)> {
    let (message, code) = (original.message(), original.code()?);
    match code.parse().ok()? {
        // SQLite has no code of its own for a function that is denied.
        SQLITE_ERROR if message.starts_with(FUNCTION_DENIED) => {
            session.take_denied().map(|denied| (denied, SQLITE_AUTH))
        }
        // The tenant is one of the values and of the columns.
        SQLITE_ERROR => {
            let (values, columns) = message.strip_suffix(" columns")?.split_once(" values for ")?;
            let (values, columns): (u32, u32) = (values.parse().ok()?, columns.parse().ok()?);
            Some((format!("{} values for {} columns", values.checked_sub(1)?, columns.checked_sub(1)?), SQLITE_ERROR))
        }
        SQLITE_AUTH => session.take_denied().map(|denied| (denied, SQLITE_AUTH)),
        SQLITE_CONSTRAINT_CHECK if message.strip_prefix(CHECK_FAILED) == Some(CHECK) => {
            Some(("datatype mismatch".to_owned(), SQLITE_MISMATCH))
        }
        code @ (SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE) => {
            let columns = message.strip_prefix(UNIQUE_FAILED)?;
            let (_, columns) = columns.split_once(TENANT_COLUMN)?;
            match columns.strip_suffix("._tenant_rowid") {
                Some(table) => Some((format!("{UNIQUE_FAILED}{table}.rowid"), SQLITE_CONSTRAINT_ROWID)),
                None => Some((format!("{UNIQUE_FAILED}{columns}"), code)),
            }
        }
        _ => None,
    }
}

/// An error of SQLite with another message and result code.
#[derive(Debug)]
struct Translated {
    original: Box<dyn DatabaseError>,
    message: String,
    code: Code,
}

type Code = i32;

impl fmt::Display for Translated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As sqlx writes it.
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl StdError for Translated {}

impl DatabaseError for Translated {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    // By these three an error is asked of which database it is, and the answer is that of SQLite's own. SeaORM asks before
    // it looks at the code.
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.original.as_error()
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self.original.as_error_mut()
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self.original.into_error()
    }

    fn is_transient_in_connect_phase(&self) -> bool {
        self.original.is_transient_in_connect_phase()
    }

    fn constraint(&self) -> Option<&str> {
        self.original.constraint()
    }

    fn table(&self) -> Option<&str> {
        self.original.table()
    }

    fn kind(&self) -> ErrorKind {
        if self.code == SQLITE_MISMATCH { ErrorKind::Other } else { self.original.kind() }
    }
}

const FUNCTION_DENIED: &str = "not authorized to use function: ";
const CHECK_FAILED: &str = "CHECK constraint failed: ";
const UNIQUE_FAILED: &str = "UNIQUE constraint failed: ";
const TENANT_COLUMN: &str = "._tenant, ";

const SQLITE_ERROR: Code = 1;
const SQLITE_BUSY: Code = 5;
const SQLITE_MISMATCH: Code = 20;
const SQLITE_AUTH: Code = 23;
const SQLITE_CONSTRAINT_CHECK: Code = 275;
const SQLITE_CONSTRAINT_PRIMARYKEY: Code = 1555;
const SQLITE_CONSTRAINT_UNIQUE: Code = 2067;
const SQLITE_CONSTRAINT_ROWID: Code = 2579;
