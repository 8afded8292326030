//! Kinds of statements, texts and parameters.

use super::*;
use crate::sqlite::verify::{tokens::Census, walk::Walk};

#[test]
fn transactions_pass() {
    for text in ["BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END", "ROLLBACK", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s;"]
    {
        accept(text);
    }
    refuse("name: it is reserved", &["SAVEPOINT _tenant_s", "ROLLBACK TO \"_TENANT\"", "RELEASE '_tenantry'"]);
}

#[test]
fn all_other_kinds_are_refused() {
    refuse(
        "statement: its kind",
        &[
            "ALTER TABLE main.users ADD COLUMN x",
            "ANALYZE",
            "ATTACH 'f' AS x",
            "DETACH x",
            "CREATE INDEX i ON users(id)",
            "CREATE TABLE x(a)",
            "CREATE TABLE x AS SELECT 1",
            "CREATE TEMP VIEW x AS SELECT 1",
            "CREATE VIRTUAL TABLE x USING fts5(a)",
            "CREATE TRIGGER x AFTER DELETE ON users BEGIN SELECT 1; END",
            "DROP TABLE main.users",
            "DROP INDEX i",
            "DROP TRIGGER x",
            "DROP VIEW x",
            "PRAGMA table_info(users)",
            "PRAGMA writable_schema = 1",
            "REINDEX",
            "VACUUM",
            "VACUUM INTO 'f'",
        ],
    );
    refuse("statement: EXPLAIN", &["EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT 1"]);
}

#[test]
fn there_is_exactly_one() {
    for text in ["SELECT 1;", "SELECT 1 ; ; ", "SELECT 1 -- ;", "SELECT 1; /* SELECT 2; */ ;", " \n\tSELECT 1"] {
        accept(text);
    }
    refuse("statement: something", &["SELECT 1; SELECT 2", "SELECT 1; x", "SELECT 1; DELETE FROM main.users"]);
    refuse("statement: there is none", &["", " ", ";", "-- x", "/* x */"]);
    refuse("statement: it cannot", &["SELEC 1", "SELECT", "SELECT (1", "WITH x AS (SELECT 1)"]);
}

#[test]
fn what_sqlite_may_read_differently_is_refused() {
    refuse("text: NUL", &["SELECT 1\0", "SELECT 1 \0; DELETE FROM users", "SELECT '\0'"]);
    // SQLite reads each as a name without the mark.
    refuse(
        "text: a byte order mark",
        &[
            "\u{feff}SELECT 1",
            "WITH \"\u{feff}users\" AS (SELECT 1) SELECT * FROM \u{feff}users",
            "SELECT u.\u{feff}_tenant FROM {users} AS u",
            "UPDATE main.users SET \u{feff}_tenant = 2 WHERE users._tenant = ?9",
            "SELECT 1 \u{feff}\"x\"",
        ],
    );
    accept("SELECT '\u{feff}', \"\u{feff}\", [\u{feff}x]");
    refuse("text: a token", &["SELECT 'x", "SELECT \"x", "SELECT [x", "SELECT 1 /* x", "SELECT x'0'", "SELECT \u{b}1"]);
}

#[test]
fn parameters_have_numbers_of_their_own() {
    accept("SELECT ?1, ?10, ?8 FROM {users} AS u WHERE u.id = ?2");
    refuse("parameter:", &["SELECT ?", "SELECT :a", "SELECT @a", "SELECT $a", "SELECT #a", "SELECT ?09", "SELECT ?0"]);
    refuse("parameter:", &["SELECT ?4294967296", "SELECT ?99999999999999999999999"]);
    refuse(
        "tenant: its parameter",
        &[
            "SELECT ?9",
            "SELECT ?9 + 1",
            "SELECT 1 FROM {users} AS u LIMIT ?9",
            "VALUES (?9)",
            "SELECT ?9 IN (SELECT 1)",
        ],
    );
}

#[test]
fn too_deep_is_refused_and_long_is_not() {
    let deep = |open: &str, close: &str, times| format!("SELECT {}1{}", open.repeat(times), close.repeat(times));
    accept(&deep("(", ")", 190));
    refuse("text: nested", &[&deep("(", ")", 201), &deep("(", ")", 100_000), &deep("(", "", 100_000)]);
    refuse("statement: nested", &[&deep("CASE WHEN 1 THEN ", " END", 10_000)]);
    accept(&deep("(SELECT ", ")", 95));
    accept(&deep("1 IN (SELECT 1 FROM (SELECT 1 FROM json_each(abs(", "))))", 45));
    accept(&format!("SELECT 1 FROM {}json_each(1){}", "(SELECT * FROM ".repeat(190), ")".repeat(190)));
    accept(&format!("SELECT 1 FROM {}json_each(1){}", "(".repeat(190), ")".repeat(190)));
    accept(&deep("- ", "", 10_000));
    accept(&deep("1 OR ", "", 10_000));
    refuse("text: too long", &[&deep(" ", "", 1_000_001)]);
}

#[test]
fn what_the_walk_forgot_is_refused() {
    let none = Census::default();
    let finish = |census| Walk::new(&schema(), TENANT).finish(census).map_err(|refused| refused.construct.into_owned());
    assert_eq!(finish(none), Ok(()));
    for (census, check) in [
        (Census { selects: 1, ..none }, "statement: a SELECT was not visited"),
        (Census { tenants: 1, ..none }, "tenant: its parameter stands somewhere else"),
        (Census { reserved: 1, ..none }, "name: a reserved one was not visited"),
    ] {
        assert_eq!(finish(census), Err(check.to_owned()));
    }
}
