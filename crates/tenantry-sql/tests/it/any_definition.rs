//! Definitions of all kinds: what they become can be read, and nothing makes the conversion panic.

use proptest::{collection::vec, prelude::*, sample::select};
use sqlite3_parser::{FallibleIterator as _, lexer::sql::Parser};
use tenantry_sql::{Limits, Step, statements};

use crate::migrations::{Schema, run};

fn schema() -> Schema {
    Schema::of(&[
        "CREATE TABLE p (id INTEGER PRIMARY KEY, a UNIQUE)",
        "CREATE TABLE q (x REFERENCES t (a) ON DELETE SET NULL)",
        "CREATE TABLE countries (code PRIMARY KEY)",
        "CREATE VIEW v AS SELECT a FROM p",
    ])
}

fn column_rule() -> impl Strategy<Value = String> {
    const RULES: &[&str] = &[
        "PRIMARY KEY",
        "PRIMARY KEY DESC",
        "PRIMARY KEY ON CONFLICT IGNORE",
        "UNIQUE",
        "CONSTRAINT u UNIQUE ON CONFLICT REPLACE",
        "NOT NULL",
        "NULL",
        "CHECK (a <> ')' /* ) */)",
        "CONSTRAINT [c )] CHECK (a IN (1, 2))",
        "DEFAULT 'x'",
        "DEFAULT (-1)",
        "DEFAULT word",
        "COLLATE nocase",
        "REFERENCES p",
        "REFERENCES p(a) ON DELETE SET NULL",
        "REFERENCES t(a) ON UPDATE SET DEFAULT",
        "REFERENCES countries ON DELETE CASCADE",
        "DEFERRABLE INITIALLY DEFERRED",
        "AS (1) STORED",
        "-- a comment\n",
    ];
    select(RULES).prop_map(str::to_owned)
}

fn column() -> impl Strategy<Value = String> {
    const TYPES: &[&str] = &["", "INTEGER", "\"integer\"", "VARCHAR(10, +2)", "BIG INT", "TEXT"];
    (select(TYPES), vec(column_rule(), 0..4)).prop_map(|(declared, rules)| format!("{declared} {}", rules.join(" ")))
}

fn constraint() -> impl Strategy<Value = &'static str> {
    select(
        [
            "PRIMARY KEY (a)",
            "PRIMARY KEY ('a' DESC, b)",
            "UNIQUE (a COLLATE nocase, b)",
            "CONSTRAINT k CHECK (a > b) ON CONFLICT FAIL",
            "FOREIGN KEY (a) REFERENCES p ON DELETE SET DEFAULT",
            "FOREIGN KEY (a, b) REFERENCES p(id, a) DEFERRABLE",
        ]
        .as_slice(),
    )
}

fn create_table() -> impl Strategy<Value = String> {
    let options = select(["", "STRICT", "WITHOUT ROWID", "WITHOUT ROWID, STRICT"].as_slice());
    (column(), column(), vec(constraint(), 0..4), options).prop_map(|(a, b, constraints, options)| {
        let constraints: String = constraints.iter().map(|constraint| format!(", {constraint}")).collect();
        format!("CREATE TABLE t (a {a}, \"b\" {b}{constraints}) {options}")
    })
}

fn statement() -> impl Strategy<Value = String> {
    let word = select(
        [
            "CREATE",
            "TABLE",
            "INDEX",
            "UNIQUE",
            "TRIGGER",
            "VIEW",
            "IF",
            "NOT",
            "EXISTS",
            "t",
            "p",
            "v",
            "countries",
            "a",
            "\"b\"",
            "[c d]",
            "'e'",
            "_tenant",
            "(",
            ")",
            ",",
            ";",
            "INTEGER",
            "PRIMARY",
            "KEY",
            "REFERENCES",
            "ON",
            "DELETE",
            "UPDATE",
            "SET",
            "NULL",
            "DEFAULT",
            "CONSTRAINT",
            "CHECK",
            "AS",
            "SELECT",
            "FROM",
            "1",
            "*",
            "?",
            "BEGIN",
            "END",
            "CASE",
            "WHEN",
            "AFTER",
            "INSERT",
            "INTO",
            "VALUES",
            "NEW",
            ".",
            "rowid",
            "WHERE",
            "ALTER",
            "ADD",
            "COLUMN",
            "DROP",
            "RENAME",
            "TO",
            "WITHOUT",
            "STRICT",
            "GENERATED",
            "ALWAYS",
            "DEFERRABLE",
            "é",
            "--",
            "\n",
            "/*",
            "*/",
            "\"",
            "PRAGMA",
            "foreign_keys",
            "=",
            "EXPLAIN",
            "TEMP",
            "main",
            "FOREIGN",
            "COLLATE",
        ]
        .as_slice(),
    );
    let soup = vec(word, 0..25).prop_map(|words| words.join(" "));
    let pieces = vec(
        select(
            [
                "CREATE TABLE t (",
                "a INTEGER PRIMARY KEY",
                ", ",
                ")",
                "CREATE TRIGGER x AFTER INSERT ON p ",
                "BEGIN ",
                "INSERT INTO p VALUES (1, 2); ",
                "DELETE FROM p; ",
                "END",
                "ALTER TABLE p ",
                "ADD COLUMN b ",
                "REFERENCES p ",
                "DROP COLUMN a",
                "RENAME TO t",
                "CREATE INDEX i ON p (",
                "a",
                "WHEN NEW.rowid ",
            ]
            .as_slice(),
        ),
        0..8,
    );
    prop_oneof![soup, pieces.prop_map(|pieces| pieces.concat())]
}

/// What is run, or what becomes of a stored text.
fn printed(step: &Step) -> String {
    match step {
        Step::Run(text) => text.clone(),
        Step::Rewrite(rewrite) => {
            let stored = "CREATE TABLE \"p\" (\"_tenant\" INTEGER, id INTEGER, a)";
            rewrite.apply(stored).unwrap_or_else(|refused| refused.to_string())
        }
    }
}

fn is_one_statement(text: &str) -> bool {
    let bump = bumpalo::Bump::new();
    let mut parser = Parser::new(&bump, text.as_bytes());
    matches!((parser.next(), parser.next()), (Ok(Some(_)), Ok(None)))
}

proptest! {
    #[test]
    fn tables_become_tables(text in create_table()) {
        let schema = schema();
        let Ok(change) = schema.convert(&text) else { return Ok(()) };
        for (at, step) in change.steps.iter().enumerate() {
            prop_assert!(is_one_statement(&run(step)), "{text}\n{step:?}");
            prop_assert_eq!(at > 0, matches!(step, Step::Run(text) if text.starts_with("CREATE TRIGGER")), "{}", text);
        }
        // All unique constraints are prefixed, and so are all foreign keys but those to global tables.
        let created = run(&change.steps[0]);
        for key in ["UNIQUE (", "PRIMARY KEY (", "FOREIGN KEY ("] {
            for (at, _) in created.match_indices(key) {
                let after = &created[at + key.len()..];
                let is_global = key == "FOREIGN KEY (" && after.contains("REFERENCES \"countries\"");
                prop_assert!(after.starts_with("\"_tenant\", ") || is_global, "{text}\n{created}");
            }
        }
    }

    #[test]
    fn most_tables_are_taken(columns in vec(column(), 1..3)) {
        // Keys that cannot be told apart are SQLite's to refuse, so hardly anything is refused here.
        let columns: Vec<_> = columns.iter().enumerate().map(|(at, column)| format!("{} {column}", ["a", "b"][at])).collect();
        let text = format!("CREATE TABLE t ({})", columns.join(", "));
        if let Err(refused) = schema().convert(&text) {
            prop_assert!(["[S01]", "[S14]"].iter().any(|code| refused.to_string().contains(code)), "{text}\n{refused}");
        }
    }

    #[test]
    fn nothing_panics(text in statement()) {
        let schema = schema();
        if let Ok(change) = schema.convert(&text) {
            for step in &change.steps {
                let is_read = is_one_statement(&printed(step));
                prop_assert!(is_read, "{text}\n{step:?}");
            }
        }
        drop(statements(&text));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        drop(schema().convert(&text));
        drop(statements(&text));
    }

    #[test]
    fn statements_are_those_of_the_script(parts in vec(create_table(), 0..4)) {
        let script = parts.join(";\n");
        let split = statements(&script).unwrap();
        prop_assert_eq!(split.len(), parts.len(), "{}", script);
    }
}

#[test]
fn limits_hold_for_definitions() {
    let deep = format!("CREATE TABLE t (a CHECK ({}1{}))", "(".repeat(200), ")".repeat(200));
    schema().refused(&deep, "nesting_max");
    let long = format!("CREATE TABLE t (a DEFAULT '{}')", "x".repeat(Limits::default().statement_bytes_max));
    schema().refused(&long, "statement_bytes_max");
}

/// A column that refers to another table changes the stored text of its own.
#[test]
fn a_stored_text_that_is_changed_can_be_read() {
    let change = schema().convert("ALTER TABLE p ADD COLUMN b REFERENCES p").unwrap();
    assert!(change.steps.iter().any(|step| matches!(step, Step::Rewrite(_))), "{change:?}");
    assert!(change.steps.iter().all(|step| is_one_statement(&printed(step))), "{change:?}");
}
