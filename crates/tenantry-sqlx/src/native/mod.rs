//! A connection to a SQLite database that tenants share: what needs SQLite's C interface.
//!
//! | module | what it has |
//! |---|---|
//! | `session` | [`Session`]: whom the connection works for, and what the next statement may name |
//! | `hooks` | [`install`]: how SQLite calls us |
//! | `connection` | what the callbacks know: the last inserted row, counts of changes, our own statements |
//! | `ids` | the ids of rows |
//! | `functions`, `digest` | the SQL functions |
//! | `authorizer`, `allowed` | what a statement may do |
//! | `table` | [`RowIds`]: the column and the triggers that a shared table has for its ids |
//! | `failure` | [`translate`]: errors as a private database says them |
//! | `recorder` | [`record`]: what a connection runs, written down; for databases that nobody shares |
//! | `raw` | the C functions |
//!
//! Unsafe code is in `hooks`, `recorder` and `raw` alone. SQLite has one place for an authorizer and one for a trace, and both are
//! taken here: who sets another one by sqlx's `lock_handle` ends the protection.
//!
//! # What differs from a private database
//!
//! * An `INSERT OR FAIL` that fails has counted for AUTOINCREMENT; SQLite forgets that although the rows stay.
//! * If one of several rows has an id that is none (`'x'`), or if no id is left, the whole statement is undone. SQLite
//!   keeps the rows before it inside of a transaction, and with the second sometimes undoes the transaction.
//! * NULL ids in an `INSERT OR IGNORE` (or another OR) of several rows are chosen before the first one is inserted: those
//!   of ignored rows are left out.
//! * The id of a row is chosen before its BEFORE triggers run, which therefore see it, and not after.
//! * A statement that inserts several rows reads its source to the end before it inserts the first.

mod allowed;
mod authorizer;
mod connection;
mod digest;
mod failure;
mod functions;
mod hooks;
mod ids;
mod raw;
mod recorder;
mod session;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    failure::{is_busy, is_moved, translate},
    hooks::{install, switch_triggers},
    recorder::{Log, record},
    session::{Names, Session},
    table::{MOVED, MOVED_MESSAGE, RowIds, TABLES},
};

pub use self::recorder::Ran;

/// What the names of Tenantry's tables, triggers and functions begin with.
pub(crate) const PREFIX: &str = "_tenantry_";

/// A name as SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
