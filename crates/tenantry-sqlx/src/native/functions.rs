//! The SQL functions of a shared database, and SQLite's own that say something about the connection.

use std::ffi::{CStr, c_int};

use libsqlite3_sys as ffi;

use super::{connection::Native, digest::digest, hooks::Arguments, raw::Failed};

/// A function for SQL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub(super) name: &'static CStr,
    pub(super) arity: c_int,
    pub(super) body: Body,
}

/// What a function does; `None` is NULL.
pub(super) type Body = fn(&Native, &Arguments<'_>) -> Result<Option<i64>, Failed>;

/// All of them. Schemas name those that begin with `_tenantry_`; what their arguments mean is to be kept.
pub(super) const FUNCTIONS: &[Function] = &[
    // (number of a table): the id of its next row. The default of the column.
    Function {
        name: c"_tenantry_next_id",
        arity: 1,
        body: |native, arguments| native.next_id(number(arguments)?).map(Some),
    },
    // (number of a table, id or NULL): the id, or that of the next row. For an INSERT that cannot use the default.
    Function {
        name: c"_tenantry_new_id",
        arity: 2,
        body: |native, arguments| {
            let number = number(arguments)?;
            if arguments.is_null(1) {
                return native.new_id(number).map(Some);
            }
            native.tenant()?;
            let id = arguments.row_id(1).ok_or_else(mismatch)?;
            native.gave(number, id);
            Ok(Some(id))
        },
    },
    // (value): the value as an id.
    Function {
        name: c"_tenantry_row_id",
        arity: 1,
        body: |native, arguments| {
            native.tenant()?;
            arguments.row_id(0).ok_or_else(mismatch).map(Some)
        },
    },
    // (tenant, id): a row was inserted. For our own trigger.
    Function {
        name: c"_tenantry_inserted",
        arity: 2,
        body: |native, arguments| {
            native.is_called_by_trigger()?;
            if let (Some(tenant), Some(id)) = (arguments.integer(0), arguments.integer(1)) {
                native.inserted(tenant, id)?;
            }
            Ok(None)
        },
    },
    // (number of a table, tenant, id): a row is about to be inserted. For our own trigger.
    Function {
        name: c"_tenantry_counted",
        arity: 3,
        body: |native, arguments| {
            native.is_called_by_trigger()?;
            if let (Some(tenant), Some(id)) = (arguments.integer(1), arguments.integer(2)) {
                native.counted(number(arguments)?, tenant, id)?;
            }
            Ok(None)
        },
    },
    // (any values): the digest of a row. For adoption, by the owner alone: no tenant may call it.
    Function { name: c"_tenantry_digest", arity: -1, body: |_, arguments| Ok(Some(digest(arguments))) },
    Function { name: c"last_insert_rowid", arity: 0, body: |native, _| Ok(Some(native.last())) },
    Function { name: c"changes", arity: 0, body: |native, _| Ok(Some(native.changes())) },
    Function { name: c"total_changes", arity: 0, body: |native, _| Ok(Some(native.total_changes())) },
];

fn number(arguments: &Arguments<'_>) -> Result<i64, Failed> {
    arguments.integer(0).ok_or_else(|| Failed::new(ffi::SQLITE_MISUSE, "the number of a table is a number"))
}

/// What SQLite says of an id that is not an integer.
fn mismatch() -> Failed {
    Failed::new(ffi::SQLITE_MISMATCH, "datatype mismatch")
}
