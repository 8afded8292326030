//! SQLite without sqlx: a statement that is prepared and run on the calling thread.

#![expect(unsafe_code, reason = "SQLite is a C library; a benchmark of it alone calls it directly")]

use std::{ffi::c_int, marker::PhantomData, ptr};

use libsqlite3_sys as ffi;
use sqlx::sqlite::LockedSqliteHandle;

/// A prepared statement of a connection that is locked.
#[derive(Debug)]
pub struct Prepared<'c> {
    statement: *mut ffi::sqlite3_stmt,
    _locked: PhantomData<&'c mut ()>,
}

impl<'c> Prepared<'c> {
    /// Prepares a statement; nothing if SQLite refuses it.
    pub fn new(locked: &'c mut LockedSqliteHandle<'_>, text: &str) -> Option<Self> {
        let mut statement = ptr::null_mut();
        let len = c_int::try_from(text.len()).ok()?;
        // SAFETY: the connection is open and locked for as long as the result lives; `text` has `len` bytes.
        let code = unsafe {
            let db = locked.as_raw_handle().as_ptr();
            ffi::sqlite3_prepare_v2(db, text.as_ptr().cast(), len, &raw mut statement, ptr::null_mut())
        };
        (code == ffi::SQLITE_OK).then_some(Self { statement, _locked: PhantomData })
    }

    /// Binds the values, as many as there are parameters, and steps once. Gives the length of the first column.
    pub fn step(&mut self, values: &[i64]) -> c_int {
        // SAFETY: the statement is prepared and ours; columns are read only when there is a row.
        unsafe {
            let parameters = ffi::sqlite3_bind_parameter_count(self.statement);
            for (value, at) in values.iter().zip(1..=parameters) {
                ffi::sqlite3_bind_int64(self.statement, at, *value);
            }
            let stepped = ffi::sqlite3_step(self.statement);
            let len = if stepped == ffi::SQLITE_ROW { ffi::sqlite3_column_bytes(self.statement, 0) } else { -1 };
            ffi::sqlite3_reset(self.statement);
            len
        }
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        // SAFETY: the statement is ours and not used again.
        unsafe { ffi::sqlite3_finalize(self.statement) };
    }
}
