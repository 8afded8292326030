//! Writes down the statements that a connection runs.

#![expect(unsafe_code, reason = "SQLite calls back with C pointers")]

use std::{
    ffi::{CStr, c_int, c_uint, c_void},
    ptr::NonNull,
    sync::{Arc, Mutex, PoisonError},
};

use libsqlite3_sys as ffi;
use sqlx::sqlite::SqliteConnection;

use super::raw::{Handle, text};

/// A statement that a connection has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its text without a semicolon, with the values that were bound in place of its parameters. Real numbers have 15 digits, as SQLite writes
    /// them.
    pub text: String,
    /// Whether it may have changed the database. Not so for what begins or ends a transaction.
    pub changes: bool,
}

/// Statements in the order in which they ended.
pub(crate) type Log = Arc<Mutex<Vec<Ran>>>;

/// From now on writes what the connection runs down in `log`. Once for each connection.
pub(crate) async fn record(connection: &mut SqliteConnection, log: Log) -> Result<(), sqlx::Error> {
    let mut locked = connection.lock_handle().await?;
    // SAFETY: the connection is open and ours until this function ends, and the handle is not kept.
    let db = unsafe { Handle::new(locked.as_raw_handle()) };
    let log = Box::into_raw(Box::new(log));
    // SAFETY: SQLite has the pointer from now on, and frees it by `free_log`: when the connection is closed, or if the first
    // call fails. A closing connection has no statements left by then, so that nothing is told any more.
    unsafe {
        let kept = ffi::sqlite3_set_clientdata(db.as_ptr(), CLIENT_DATA.as_ptr(), log.cast(), Some(free_log));
        db.check(kept)
            .and_then(|()| db.check(ffi::sqlite3_trace_v2(db.as_ptr(), TRACED, Some(trace), log.cast())))
            .map_err(|failed| sqlx::Error::Configuration(failed.into()))
    }
}

/// SQLite tells that a statement has ended.
unsafe extern "C" fn trace(_: c_uint, log: *mut c_void, statement: *mut c_void, _: *mut c_void) -> c_int {
    // SAFETY: `record` gave this pointer, which lives as long as the connection calls back. Nobody changes what is there.
    let log = unsafe { &*log.cast::<Log>() };
    let statement = statement.cast::<ffi::sqlite3_stmt>();
    // SAFETY: the subject of this event is a statement. Its text with values ends with a zero, and is ours to free.
    let ran = unsafe {
        let expanded = ffi::sqlite3_expanded_sql(statement);
        let read = text(expanded);
        let changes = ffi::sqlite3_stmt_readonly(statement) == 0;
        let ran = read.map(|it| Ran { text: alone(&it).to_owned(), changes });
        ffi::sqlite3_free(expanded.cast());
        ran
    };
    // There is no text when it is longer than SQLite allows. What is missing must not pass for nothing.
    let ran = ran.unwrap_or_else(|| Ran { text: TOO_LONG.to_owned(), changes: true });
    log.lock().unwrap_or_else(PoisonError::into_inner).push(ran);
    0
}

/// A statement without what separates it from others.
fn alone(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == ';')
}

unsafe extern "C" fn free_log(log: *mut c_void) {
    // SAFETY: `record` made it by `Box::into_raw`, and SQLite gives it back once.
    drop(unsafe { NonNull::new(log.cast::<Log>()).map(|log| Box::from_raw(log.as_ptr())) });
}

const CLIENT_DATA: &CStr = c"tenantry_recorder";

const TRACED: c_uint = ffi::SQLITE_TRACE_PROFILE;

/// No statement, so that it is refused wherever it is read.
const TOO_LONG: &str = "(a statement that is too long with its values)";
