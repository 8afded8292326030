//! SQLite's C interface, as much of it as is called: a connection, its statements, and why one failed.

#![expect(unsafe_code, reason = "SQLite is a C library; its functions are called here")]

use std::{
    ffi::{CStr, c_char, c_int},
    fmt,
    ptr::{self, NonNull},
};

use libsqlite3_sys as ffi;

/// An open connection. Whoever makes one answers for its being open, and for nobody else's using it at the same time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle(NonNull<ffi::sqlite3>);

impl Handle {
    /// # Safety
    ///
    /// The connection must be open whenever the value or a copy of it is used, and only one thread may use it at once.
    pub(super) unsafe fn new(connection: NonNull<ffi::sqlite3>) -> Self {
        Self(connection)
    }

    pub(super) fn as_ptr(self) -> *mut ffi::sqlite3 {
        self.0.as_ptr()
    }

    /// What SQLite takes for the id of the row that was inserted last.
    pub(super) fn last_insert_rowid(self) -> i64 {
        // SAFETY: the connection is open, see `Handle::new`.
        unsafe { ffi::sqlite3_last_insert_rowid(self.as_ptr()) }
    }

    pub(super) fn set_last_insert_rowid(self, id: i64) {
        // SAFETY: the connection is open, see `Handle::new`.
        unsafe { ffi::sqlite3_set_last_insert_rowid(self.as_ptr(), id) }
    }

    /// How many rows the statement that ended last has changed.
    pub(super) fn changes(self) -> i64 {
        // SAFETY: the connection is open, see `Handle::new`.
        unsafe { ffi::sqlite3_changes64(self.as_ptr()) }
    }

    /// How many rows have been changed since the connection was opened.
    pub(super) fn total_changes(self) -> i64 {
        // SAFETY: the connection is open, see `Handle::new`.
        unsafe { ffi::sqlite3_total_changes64(self.as_ptr()) }
    }

    /// Compiles one statement.
    pub(super) fn prepare(self, sql: &str) -> Result<Statement, Failed> {
        let length = c_int::try_from(sql.len()).map_err(|_| Failed::new(ffi::SQLITE_TOOBIG, "statement too long"))?;
        let mut statement = ptr::null_mut();
        // SAFETY: the connection is open, `sql` is readable for `length` bytes, and `statement` is written to.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.as_ptr(),
                sql.as_ptr().cast::<c_char>(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &raw mut statement,
                ptr::null_mut(),
            )
        };
        self.check(code)?;
        let raw = NonNull::new(statement).ok_or_else(|| Failed::new(ffi::SQLITE_MISUSE, "an empty statement"))?;
        Ok(Statement { raw, connection: self })
    }

    /// The failure behind a result code, in SQLite's words.
    pub(super) fn check(self, code: c_int) -> Result<(), Failed> {
        if code == ffi::SQLITE_OK {
            return Ok(());
        }
        // SAFETY: the connection is open; the message is a string that ends with a zero and stays until the next call.
        let message = unsafe { text(ffi::sqlite3_errmsg(self.as_ptr())) };
        Err(Failed { code, message: message.unwrap_or_default().into_owned() })
    }
}

/// A compiled statement, freed when it is dropped, which has to be before its connection is closed.
#[derive(Debug)]
pub(super) struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    connection: Handle,
}

impl Statement {
    /// Runs the statement with these parameters and gives its first row.
    pub(super) fn row<const N: usize>(&mut self, parameters: &[i64]) -> Result<Option<[Value; N]>, Failed> {
        let row = self.first(parameters);
        // SAFETY: the statement is alive. That a reset repeats the failure of the run is why its result is not looked at.
        unsafe { ffi::sqlite3_reset(self.raw.as_ptr()) };
        row
    }

    fn first<const N: usize>(&mut self, parameters: &[i64]) -> Result<Option<[Value; N]>, Failed> {
        for (position, parameter) in (1..).zip(parameters) {
            // SAFETY: the statement is alive and not running; SQLite refuses a position that it does not have.
            self.connection.check(unsafe { ffi::sqlite3_bind_int64(self.raw.as_ptr(), position, *parameter) })?;
        }
        // SAFETY: the statement is alive.
        match unsafe { ffi::sqlite3_step(self.raw.as_ptr()) } {
            ffi::SQLITE_DONE => Ok(None),
            ffi::SQLITE_ROW => {
                let mut columns = 0..;
                Ok(Some(std::array::from_fn(|_| self.column(columns.next().unwrap_or_default()))))
            }
            code => self.connection.check(code).map(|()| None),
        }
    }

    fn column(&self, position: c_int) -> Value {
        let raw = self.raw.as_ptr();
        // SAFETY: the statement has a row; a column that it does not have is NULL to SQLite. The text ends with a zero,
        // is copied before anything else is asked, and was made by SQLite, so that it is readable.
        unsafe {
            match ffi::sqlite3_column_type(raw, position) {
                ffi::SQLITE_INTEGER => Value::Integer(ffi::sqlite3_column_int64(raw, position)),
                ffi::SQLITE_TEXT => match text(ffi::sqlite3_column_text(raw, position).cast::<c_char>()) {
                    Some(text) => Value::Text(text.into_owned()),
                    None => Value::Null,
                },
                _ => Value::Null,
            }
        }
    }

    /// Whether SQLite has compiled the statement anew since this was asked last, because the schema is another one.
    pub(super) fn is_recompiled(&mut self) -> bool {
        // SAFETY: the statement is alive.
        unsafe { ffi::sqlite3_stmt_status(self.raw.as_ptr(), ffi::SQLITE_STMTSTATUS_REPREPARE, 1) > 0 }
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the statement is alive and nobody has it after this. The result repeats the failure of the last run.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}

/// A value of a row, of the types that our own tables have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    Null,
    Text(String),
}

/// Why SQLite did not do something, or what SQLite is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// SQLite's result code.
    pub(super) code: c_int,
    pub(super) message: String,
}

impl Failed {
    pub(super) fn new(code: c_int, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl std::error::Error for Failed {}

/// A random number, from SQLite's own generator.
pub(super) fn random() -> i64 {
    let mut bytes = [0; 8];
    // SAFETY: eight bytes are written to a place of eight bytes.
    unsafe { ffi::sqlite3_randomness(8, bytes.as_mut_ptr().cast()) };
    i64::from_ne_bytes(bytes)
}

/// What is written at `text`, or `None` if that is nowhere.
///
/// # Safety
///
/// `text` must be null or a string that ends with a zero and does not change during `'a`.
pub(super) unsafe fn text<'a>(text: *const c_char) -> Option<std::borrow::Cow<'a, str>> {
    // SAFETY: not null, and what else is needed is the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy())
}
