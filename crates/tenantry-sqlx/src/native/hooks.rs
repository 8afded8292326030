//! How SQLite calls us: functions, the authorizer, and the trace of statements.

#![expect(unsafe_code, reason = "SQLite calls back with C pointers")]

use std::{
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    fmt,
    ptr::NonNull,
    sync::Arc,
};

use libsqlite3_sys as ffi;
use sqlx::sqlite::{LockedSqliteHandle, SqliteConnection};

use super::{
    authorizer::{Request, judge},
    connection::{NOTHING, Native},
    functions::{Body, FUNCTIONS, Function},
    raw::{Failed, Handle, text},
    session::Session,
};

/// Makes a connection one of a shared database. Once for each connection, before anything else is done with it; close
/// it if that fails. From then on `session` says what the connection may be used for.
pub(crate) async fn install(connection: &mut SqliteConnection, session: Arc<Session>) -> Result<(), sqlx::Error> {
    let mut locked = connection.lock_handle().await?;
    install_in(&mut locked, session).map_err(|failed| sqlx::Error::Configuration(failed.into()))
}

/// Switches all triggers of a connection on or off, those of foreign keys left out.
pub(crate) async fn switch_triggers(connection: &mut SqliteConnection, on: bool) -> Result<(), sqlx::Error> {
    let mut locked = connection.lock_handle().await?;
    let db = locked.as_raw_handle().as_ptr();
    // SAFETY: the connection is open and ours until this function ends. This option takes an integer, and a pointer for
    // the answer, which may be null (<https://sqlite.org/c3ref/c_dbconfig_defensive.html>).
    let code = unsafe {
        ffi::sqlite3_db_config(db, ffi::SQLITE_DBCONFIG_ENABLE_TRIGGER, c_int::from(on), std::ptr::null_mut::<c_int>())
    };
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(sqlx::Error::Configuration(format!("triggers cannot be switched: SQLite says {code}").into())),
    }
}

fn install_in(locked: &mut LockedSqliteHandle<'_>, session: Arc<Session>) -> Result<(), Failed> {
    // SAFETY: the connection is open and ours until this function ends. After that the handle is used only by callbacks,
    // that is, while SQLite works on the open connection, and only by one of its threads at a time.
    let db = unsafe { Handle::new(locked.as_raw_handle()) };
    // SAFETY: the connection is open, and the name ends with a zero.
    if !unsafe { ffi::sqlite3_get_clientdata(db.as_ptr(), CLIENT_DATA.as_ptr()) }.is_null() {
        return Err(Failed::new(ffi::SQLITE_MISUSE, "the connection has a session already"));
    }
    db.prepare(&format!("CREATE TEMP TABLE IF NOT EXISTS {NOTHING} (unused)"))?.row::<0>(&[])?;

    let native = Box::into_raw(Box::new(Native::new(db, session)));
    // SAFETY: SQLite has the pointer from now on, and frees it by `free_native`: when the connection is closed, or if this
    // call fails.
    db.check(unsafe {
        ffi::sqlite3_set_clientdata(db.as_ptr(), CLIENT_DATA.as_ptr(), native.cast(), Some(free_native))
    })?;
    for function in FUNCTIONS {
        register(db, native, function)?;
    }
    forgo_bloom_filters(db)?;
    // SAFETY: `native` lives as long as the connection calls back. There are no callbacks after it was freed: a closing
    // connection has no statements left by then.
    unsafe {
        db.check(ffi::sqlite3_trace_v2(db.as_ptr(), TRACED, Some(trace), native.cast()))?;
        ffi::sqlite3_progress_handler(db.as_ptr(), STEPS, Some(progress), native.cast());
        db.check(ffi::sqlite3_set_authorizer(db.as_ptr(), Some(authorize), native.cast()))
    }
}

/// SQLite fills a Bloom filter from all rows of a table, before it looks which tenant they belong to.
fn forgo_bloom_filters(db: Handle) -> Result<(), Failed> {
    // SAFETY: the connection is open and ours until this function ends. This operation takes a connection, and the
    // optimizations that it is to do without as bits.
    let code = unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_OPTIMIZATIONS, db.as_ptr(), BLOOM_FILTERS) };
    db.check(code)
}

/// `SQLITE_BloomFilter` in SQLite's `sqliteInt.h`, as `.testctrl optimizations` of its shell takes it.
const BLOOM_FILTERS: c_uint = 0x0008_0000;

fn register(db: Handle, native: *const Native, function: &Function) -> Result<(), Failed> {
    let registered = Box::into_raw(Box::new(Registered { native, body: function.body }));
    // SAFETY: the name ends with a zero. SQLite has the pointer from now on and frees it by `free_registered`, also if
    // this call fails.
    db.check(unsafe {
        ffi::sqlite3_create_function_v2(
            db.as_ptr(),
            function.name.as_ptr(),
            function.arity,
            // Innocuous: schemas may name it although they are not trusted.
            ffi::SQLITE_UTF8 | ffi::SQLITE_INNOCUOUS,
            registered.cast(),
            Some(call),
            None,
            None,
            Some(free_registered),
        )
    })
}

/// What SQLite has with a function.
struct Registered {
    native: *const Native,
    body: Body,
}

/// The arguments of a call.
pub(super) struct Arguments<'a>(&'a [*mut ffi::sqlite3_value]);

impl Arguments<'_> {
    /// Whether there is nothing at this position.
    pub(super) fn is_null(&self, position: usize) -> bool {
        self.kind(position) == ffi::SQLITE_NULL
    }

    /// The integer at this position, if it is one.
    pub(super) fn integer(&self, position: usize) -> Option<i64> {
        let value = self.0.get(position)?;
        // SAFETY: SQLite's value of this call.
        (self.kind(position) == ffi::SQLITE_INTEGER).then(|| unsafe { ffi::sqlite3_value_int64(*value) })
    }

    /// The value at this position as the row id that SQLite makes of it: an integer, a whole number, or a text that
    /// reads as one.
    pub(super) fn row_id(&self, position: usize) -> Option<i64> {
        let value = *self.0.get(position)?;
        // SAFETY: SQLite's value of this call, which is ours to convert.
        match unsafe { ffi::sqlite3_value_numeric_type(value) } {
            // SAFETY: as above.
            ffi::SQLITE_INTEGER => Some(unsafe { ffi::sqlite3_value_int64(value) }),
            // SAFETY: as above.
            ffi::SQLITE_FLOAT => whole(unsafe { ffi::sqlite3_value_double(value) }),
            _ => None,
        }
    }

    /// The values, one after the other.
    pub(super) fn iter(&self) -> impl Iterator<Item = Argument<'_>> {
        self.0.iter().map(|value| Argument::of(*value))
    }

    fn kind(&self, position: usize) -> c_int {
        // SAFETY: SQLite's value of this call.
        self.0.get(position).map_or(ffi::SQLITE_NULL, |value| unsafe { ffi::sqlite3_value_type(*value) })
    }
}

impl fmt::Debug for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arguments").field(&self.0.len()).finish()
    }
}

/// A value as it is stored. Texts are bytes: they may be no UTF-8.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl Argument<'_> {
    fn of(value: *mut ffi::sqlite3_value) -> Self {
        // SAFETY: SQLite's value of this call. The bytes are there for as long as the call, and nobody converts the value:
        // it is asked for what it is. The pointer is asked for before the length, as SQLite wants it.
        unsafe {
            match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_INTEGER => Self::Integer(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => Self::Real(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_TEXT => {
                    let start = ffi::sqlite3_value_text(value);
                    Self::Text(bytes(start, ffi::sqlite3_value_bytes(value)))
                }
                ffi::SQLITE_BLOB => {
                    let start = ffi::sqlite3_value_blob(value);
                    Self::Blob(bytes(start.cast(), ffi::sqlite3_value_bytes(value)))
                }
                _ => Self::Null,
            }
        }
    }
}

/// # Safety
///
/// As many bytes as `count` says must be at `start`, and stay there for as long as they are used.
unsafe fn bytes<'a>(start: *const u8, count: c_int) -> &'a [u8] {
    match usize::try_from(count) {
        // SAFETY: the caller says so.
        Ok(count) if count > 0 && !start.is_null() => unsafe { std::slice::from_raw_parts(start, count) },
        _ => &[],
    }
}

/// The integer that a number is, if it is one that SQLite stores as such.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a number that this changes is no integer, which is compared")]
    let integer = number as i64;
    #[expect(clippy::cast_precision_loss, reason = "as SQLite compares it")]
    let same = integer as f64 == number;
    (same && integer > i64::MIN && integer < i64::MAX).then_some(integer)
}

/// SQLite calls one of our functions.
unsafe extern "C" fn call(context: *mut ffi::sqlite3_context, count: c_int, values: *mut *mut ffi::sqlite3_value) {
    // SAFETY: `register` gave this pointer, and SQLite frees it only with the function. Nobody changes what is there.
    let registered = unsafe { &*ffi::sqlite3_user_data(context).cast::<Registered>() };
    // SAFETY: it lives as long as the connection calls back, and is used without exclusive references.
    let native = unsafe { &*registered.native };
    let values = match usize::try_from(count) {
        // SAFETY: SQLite gives this many values, which live as long as the call.
        Ok(count) if count > 0 => unsafe { std::slice::from_raw_parts(values, count) },
        _ => &[],
    };
    let result = (registered.body)(native, &Arguments(values));
    // SAFETY: the context is the one of this call. SQLite copies the message, whose length is given.
    unsafe {
        match result {
            Ok(Some(integer)) => ffi::sqlite3_result_int64(context, integer),
            Ok(None) => ffi::sqlite3_result_null(context),
            Err(failed) => {
                let length = c_int::try_from(failed.message.len()).unwrap_or_default();
                ffi::sqlite3_result_error(context, failed.message.as_ptr().cast::<c_char>(), length);
                ffi::sqlite3_result_error_code(context, failed.code);
            }
        }
    }
}

/// SQLite asks whether a statement that it compiles may do something.
unsafe extern "C" fn authorize(
    native: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    accessor: *const c_char,
) -> c_int {
    // SAFETY: `install_in` gave this pointer, which lives as long as the connection calls back.
    let native = unsafe { &*native.cast::<Native>() };
    if native.is_nested() {
        return ffi::SQLITE_OK;
    }
    // SAFETY: SQLite's strings end with a zero, or are null, and live as long as this call.
    let [first, second, database, accessor] = [first, second, database, accessor].map(|it| unsafe { text(it) });
    let request = Request {
        action,
        first: first.as_deref().unwrap_or_default(),
        second: second.as_deref().unwrap_or_default(),
        database: database.as_deref(),
        accessor: accessor.as_deref(),
    };
    let (mode, expected, triggers) = native.session.rules();
    match judge(mode, &expected, &triggers, &request) {
        Ok(()) => ffi::SQLITE_OK,
        Err(denied) => {
            native.session.deny(denied);
            ffi::SQLITE_DENY
        }
    }
}

/// SQLite tells that something begins or ends.
unsafe extern "C" fn trace(event: c_uint, native: *mut c_void, subject: *mut c_void, detail: *mut c_void) -> c_int {
    // SAFETY: `install_in` gave this pointer, which lives as long as the connection calls back.
    let native = unsafe { &*native.cast::<Native>() };
    match event {
        ffi::SQLITE_TRACE_STMT if !native.is_nested() => {
            // SAFETY: the subject of this event is a statement. Its own text means that it begins, or that a foreign
            // key acts in it. Another text is a comment, which ends with a zero.
            unsafe {
                if ffi::sqlite3_sql(subject.cast()) == detail.cast_const().cast::<c_char>() {
                    native.started(subject.addr());
                } else if let Some(comment) = text(detail.cast_const().cast::<c_char>()) {
                    // The statements in a trigger are told as well.
                    if let Some(name) = comment.strip_prefix("-- TRIGGER ") {
                        native.triggered(name);
                    }
                }
            }
        }
        ffi::SQLITE_TRACE_PROFILE => native.ended(),
        ffi::SQLITE_TRACE_CLOSE => native.closes(),
        _ => {}
    }
    0
}

/// SQLite asks, while a statement runs, whether it should stop.
unsafe extern "C" fn progress(native: *mut c_void) -> c_int {
    // SAFETY: `install_in` gave this pointer, which lives as long as the connection calls back.
    let native = unsafe { &*native.cast::<Native>() };
    c_int::from(native.stops())
}

unsafe extern "C" fn free_native(native: *mut c_void) {
    // SAFETY: `install_in` made it by `Box::into_raw`, and SQLite gives it back once.
    drop(unsafe { NonNull::new(native.cast::<Native>()).map(|native| Box::from_raw(native.as_ptr())) });
}

unsafe extern "C" fn free_registered(registered: *mut c_void) {
    // SAFETY: `register` made it by `Box::into_raw`, and SQLite gives it back once.
    drop(unsafe { NonNull::new(registered.cast::<Registered>()).map(|it| Box::from_raw(it.as_ptr())) });
}

const CLIENT_DATA: &CStr = c"tenantry";

/// How many steps of its machine SQLite takes before it asks again: some tens of microseconds.
const STEPS: c_int = 4096;

const TRACED: c_uint = ffi::SQLITE_TRACE_STMT | ffi::SQLITE_TRACE_PROFILE | ffi::SQLITE_TRACE_CLOSE;
