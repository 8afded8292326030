//! What a statement may do on a shared database, judged by SQLite's view of it: the second net behind the rewriting.
//!
//! | a connection | may |
//! |---|---|
//! | that nobody has leased | roll back |
//! | of the owner | everything |
//! | of a tenant | read and write the expected tables, call the functions of the list, use transactions |
//!
//! What the triggers of the application do was judged when they were created: for them, only what is Tenantry's or
//! SQLite's is out of reach.

use std::ffi::c_int;

use libsqlite3_sys as ffi;

use super::{
    PREFIX,
    allowed::is_allowed,
    session::{Mode, Names},
    table::{COUNTED, INSERTED, MOVED},
};

/// What SQLite asks. What `first` and `second` are depends on the action: <https://sqlite.org/c3ref/c_alter_table.html>.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) action: c_int,
    pub(super) first: &'a str,
    pub(super) second: &'a str,
    pub(super) database: Option<&'a str>,
    /// The innermost trigger, or view, or common table expression, from which this comes.
    pub(super) accessor: Option<&'a str>,
}

/// Allows, or says why not.
pub(super) fn judge(mode: Mode, expected: &Names, triggers: &Names, request: &Request<'_>) -> Result<(), String> {
    match mode {
        Mode::Owner => Ok(()),
        Mode::Closed => match (request.action, request.first) {
            (ffi::SQLITE_TRANSACTION | ffi::SQLITE_SAVEPOINT, "ROLLBACK") => Ok(()),
            _ => Err(format!("no tenant has entered this connection; denied: {}", described(request))),
        },
        Mode::Tenant(_) if is_allowed_to_tenants(expected, triggers, request) => Ok(()),
        Mode::Tenant(_) => Err(format!("not allowed to tenants: {}", described(request))),
    }
}

fn is_allowed_to_tenants(expected: &Names, triggers: &Names, request: &Request<'_>) -> bool {
    let place = match request.accessor {
        // A common table expression is an accessor too, and it may have any name. Those of the statement are expected.
        Some(name) if expected.contains(name) => Place::Statement,
        Some(name) if is_trigger_of_ours(name) => Place::Ours,
        Some(name) if triggers.contains(name) => Place::Trigger,
        _ => Place::Statement,
    };
    match request.action {
        ffi::SQLITE_RECURSIVE | ffi::SQLITE_SAVEPOINT | ffi::SQLITE_SELECT | ffi::SQLITE_TRANSACTION => true,
        ffi::SQLITE_FUNCTION => match request.second {
            "_tenantry_inserted" | "_tenantry_counted" => place == Place::Ours,
            function => is_allowed(function),
        },
        ffi::SQLITE_READ if is_table_function(request.first) || is_catalog(request) => true,
        ffi::SQLITE_DELETE | ffi::SQLITE_INSERT | ffi::SQLITE_READ | ffi::SQLITE_UPDATE => {
            let is_main = match request.database {
                Some(database) => database == "main",
                // SQLite does not say where it found a table of which no column is read.
                None => request.action == ffi::SQLITE_READ && request.second.is_empty(),
            };
            let is_in_reach = match place {
                Place::Ours => request.action == ffi::SQLITE_READ,
                Place::Statement => expected.contains(request.first),
                Place::Trigger => true,
            };
            is_main && is_in_reach && !is_reserved(request.first)
        }
        _ => false,
    }
}

/// From where something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A trigger of ours.
    Ours,
    /// The statement itself.
    Statement,
    /// A trigger of the application.
    Trigger,
}

fn is_trigger_of_ours(name: &str) -> bool {
    let number = [INSERTED, COUNTED].iter().find_map(|prefix| name.strip_prefix(prefix));
    let is_ours = number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()));
    let moved = name.strip_prefix(MOVED);
    is_ours || moved.is_some_and(|numbers| numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'))
}

/// Functions that are used like tables, and read nothing but their arguments.
fn is_table_function(name: &str) -> bool {
    name.eq_ignore_ascii_case("json_each") || name.eq_ignore_ascii_case("json_tree")
}

/// Whether a table has what SQLite says of the application's schema.
fn is_catalog(request: &Request<'_>) -> bool {
    let kind = request.first.strip_prefix(PREFIX);
    let known = |kind: &str| kind == "master" || tenantry_sql::PRAGMAS.iter().any(|(pragma, _)| *pragma == kind);
    matches!(request.database, Some("main") | None) && kind.is_some_and(known)
}

/// Whether a name is one of SQLite or of Tenantry.
fn is_reserved(name: &str) -> bool {
    [PREFIX, "sqlite_"]
        .iter()
        .any(|prefix| name.get(..prefix.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(prefix)))
}

/// Whether a table is the one in which SQLite keeps the schema: to every change of that, SQLite asks about it first.
fn is_schema(name: &str) -> bool {
    matches!(name, "sqlite_master" | "sqlite_temp_master")
}

/// What was asked, in words.
fn described(request: &Request<'_>) -> String {
    let Request { first, second, .. } = *request;
    let (what, subject) = match request.action {
        ffi::SQLITE_DELETE | ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE if is_schema(first) => ("changing the schema", ""),
        ffi::SQLITE_ALTER_TABLE => ("ALTER TABLE", second),
        ffi::SQLITE_ANALYZE => ("ANALYZE", first),
        ffi::SQLITE_ATTACH => ("ATTACH", first),
        ffi::SQLITE_CREATE_INDEX => ("CREATE INDEX", first),
        ffi::SQLITE_CREATE_TABLE => ("CREATE TABLE", first),
        ffi::SQLITE_CREATE_TEMP_INDEX => ("CREATE INDEX on a temporary table:", first),
        ffi::SQLITE_CREATE_TEMP_TABLE => ("CREATE TEMP TABLE", first),
        ffi::SQLITE_CREATE_TEMP_TRIGGER => ("CREATE TEMP TRIGGER", first),
        ffi::SQLITE_CREATE_TEMP_VIEW => ("CREATE TEMP VIEW", first),
        ffi::SQLITE_CREATE_TRIGGER => ("CREATE TRIGGER", first),
        ffi::SQLITE_CREATE_VIEW => ("CREATE VIEW", first),
        ffi::SQLITE_CREATE_VTABLE => ("CREATE VIRTUAL TABLE", first),
        ffi::SQLITE_DELETE => ("deleting from", first),
        ffi::SQLITE_DETACH => ("DETACH", first),
        ffi::SQLITE_DROP_INDEX | ffi::SQLITE_DROP_TEMP_INDEX => ("DROP INDEX", first),
        ffi::SQLITE_DROP_TABLE | ffi::SQLITE_DROP_TEMP_TABLE | ffi::SQLITE_DROP_VTABLE => ("DROP TABLE", first),
        ffi::SQLITE_DROP_TRIGGER | ffi::SQLITE_DROP_TEMP_TRIGGER => ("DROP TRIGGER", first),
        ffi::SQLITE_DROP_VIEW | ffi::SQLITE_DROP_TEMP_VIEW => ("DROP VIEW", first),
        ffi::SQLITE_FUNCTION => ("the function", second),
        ffi::SQLITE_INSERT => ("inserting into", first),
        ffi::SQLITE_PRAGMA => ("PRAGMA", first),
        ffi::SQLITE_READ => ("reading", first),
        ffi::SQLITE_RECURSIVE => ("a recursive query", ""),
        ffi::SQLITE_REINDEX => ("REINDEX", first),
        ffi::SQLITE_SAVEPOINT => ("savepoints:", first),
        ffi::SQLITE_SELECT => ("SELECT", ""),
        ffi::SQLITE_TRANSACTION => ("transactions:", first),
        ffi::SQLITE_UPDATE => ("updating", first),
        _ => ("something that this version of Tenantry does not know", ""),
    };
    match request.database {
        Some(database) if database != "main" && !subject.is_empty() => format!("{what} {database}.{subject}"),
        _ if subject.is_empty() => what.to_owned(),
        _ => format!("{what} {subject}"),
    }
}
