//! Columns of shared tables.

use std::fmt::Write as _;

use tenantry_sql::{Name, Quoted};

use super::{
    super::model::{Column, Model, Table},
    Shared, Step, sequences,
};

/// A new table, with all of its columns.
pub(super) fn create(name: &str, table: &Table, expected: &Model, steps: &mut Vec<Step>) {
    let mut columns = Vec::new();
    let mut holes = Vec::new();
    for number in 1..=table.width {
        match table.columns.get(&number) {
            Some(column) => columns.push(declared(name, column, expected)),
            // The application's table has lost a column, whose number is not given again.
            None => {
                columns.push(format!("{} int", Quoted::new(&hole(number))));
                holes.push(format!("DROP COLUMN {}", Quoted::new(&hole(number))));
            }
        }
    }
    let mut sql = format!("CREATE TABLE {} ({})", Shared(name), columns.join(", "));
    if !table.options.is_empty() {
        write!(sql, " WITH ({})", table.options.join(", ")).ok();
    }
    if !holes.is_empty() {
        write!(sql, "; ALTER TABLE {} {}", Shared(name), holes.join(", ")).ok();
    }
    steps.push(Step::new(format!("table {name} is missing"), sql));
    let stored = table.columns.values().filter_map(|column| storage(column, None));
    let stored: Vec<_> = stored.collect();
    if !stored.is_empty() {
        let sql = format!("ALTER TABLE {} {}", Shared(name), stored.join(", "));
        steps.push(Step::new(format!("columns of {name} are stored in another way"), sql));
    }
}

/// Columns whose names have changed.
pub(super) fn renames(name: &str, actual: &Table, expected: &Table, steps: &mut Vec<Step>) {
    for (number, column) in &expected.columns {
        if let Some(present) = actual.columns.get(number).filter(|present| present.name != column.name) {
            let (from, to) = (&present.name, &column.name);
            let (quoted_from, quoted_to) = (Quoted::new(from), Quoted::new(to));
            let sql = format!("ALTER TABLE {} RENAME COLUMN {quoted_from} TO {quoted_to}", Shared(name));
            steps.push(Step::new(format!("column {name}.{to} is called {from}"), sql));
        }
    }
}

/// What has become of the columns of a table.
pub(super) fn alter(
    name: &str,
    actual: &Table,
    expected: &Table,
    model: &Model,
    using: &[(Name, String)],
    steps: &mut Vec<Step>,
) {
    let mut clauses = Vec::new();
    let dropped = actual.columns.iter().filter(|(number, _)| !expected.columns.contains_key(*number));
    let (computed, others): (Vec<_>, Vec<_>) = dropped.partition(|(_, column)| !column.generated.is_empty());
    // What is computed from other columns goes before them.
    for (_, column) in computed.into_iter().chain(others) {
        steps.push(alteration(
            name,
            &format!("DROP COLUMN {}", Quoted::new(&column.name)),
            &column.name,
            "is too many",
        ));
    }
    for (number, column) in &expected.columns {
        match actual.columns.get(number) {
            Some(present) => clauses.extend(changes(name, present, column, model, using)),
            None => {
                let add = format!("ADD COLUMN {}", declared(name, column, model));
                steps.push(alteration(name, &add, &column.name, "is missing"));
                clauses.extend(storage(column, None));
            }
        }
    }
    if !clauses.is_empty() {
        let sql = format!("ALTER TABLE {} {}", Shared(name), clauses.join(", "));
        steps.push(Step::new(format!("columns of {name} are declared otherwise"), sql));
    }
    options(name, actual, expected, steps);
}

fn alteration(table: &str, clause: &str, column: &str, what: &str) -> Step {
    Step::new(format!("column {table}.{column} {what}"), format!("ALTER TABLE {} {clause}", Shared(table)))
}

/// A column as `CREATE TABLE` and `ADD COLUMN` want it.
fn declared(table: &str, column: &Column, model: &Model) -> String {
    let mut text = format!("{} {}", Quoted::new(&column.name), column.kind);
    if let Some(collation) = &column.collation {
        write!(text, " COLLATE {collation}").ok();
    }
    match (&column.expression, column.identity.as_str()) {
        (Some(expression), _) if column.generated == "s" => {
            write!(text, " GENERATED ALWAYS AS ({expression}) STORED").ok();
        }
        (Some(expression), _) if column.generated.is_empty() => {
            write!(text, " DEFAULT {expression}").ok();
        }
        (Some(expression), _) => {
            write!(text, " GENERATED ALWAYS AS ({expression}) VIRTUAL").ok();
        }
        (None, "") => {}
        (None, _) => {
            write!(text, " {}", sequences::identity(table, column, model)).ok();
        }
    }
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    text
}

fn changes(table: &str, actual: &Column, expected: &Column, model: &Model, using: &[(Name, String)]) -> Vec<String> {
    let mut clauses = Vec::new();
    let alter = format!("ALTER COLUMN {}", Quoted::new(&expected.name));
    let retyped = actual.kind != expected.kind || actual.collation != expected.collation;
    let is_default = actual.generated.is_empty() && expected.generated.is_empty();
    let redefaulted = is_default && (retyped || actual.expression != expected.expression);
    if redefaulted && actual.expression.is_some() && (retyped || expected.expression.is_none()) {
        clauses.push(format!("{alter} DROP DEFAULT"));
    }
    if !actual.identity.is_empty() && expected.identity.is_empty() {
        clauses.push(format!("{alter} DROP IDENTITY"));
    }
    match (actual.generated.is_empty(), expected.generated.is_empty()) {
        (false, true) => clauses.push(format!("{alter} DROP EXPRESSION")),
        (false, false) if actual.expression != expected.expression => {
            let expression = expected.expression.as_deref().unwrap_or_default();
            clauses.push(format!("{alter} SET EXPRESSION AS ({expression})"));
        }
        _ => {}
    }
    if retyped {
        let mut clause = format!("{alter} TYPE {}", expected.kind);
        if let Some(collation) = &expected.collation {
            write!(clause, " COLLATE {collation}").ok();
        }
        if let Some((_, expression)) = using.iter().find(|(name, _)| name.as_str() == expected.name) {
            write!(clause, " USING {expression}").ok();
        }
        clauses.push(clause);
    }
    if let Some(expression) = expected.expression.as_ref().filter(|_| redefaulted) {
        clauses.push(format!("{alter} SET DEFAULT {expression}"));
    }
    if actual.not_null != expected.not_null {
        clauses.push(format!("{alter} {} NOT NULL", if expected.not_null { "SET" } else { "DROP" }));
    }
    match (actual.identity.as_str(), expected.identity.as_str()) {
        (before, after) if before == after || after.is_empty() => {}
        ("", _) => clauses.push(format!("{alter} ADD {}", sequences::identity(table, expected, model))),
        (_, "a") => clauses.push(format!("{alter} SET GENERATED ALWAYS")),
        _ => clauses.push(format!("{alter} SET GENERATED BY DEFAULT")),
    }
    clauses.extend(storage(expected, Some(actual)));
    clauses
}

/// How the values of a column are stored, if that is not as it was.
fn storage(column: &Column, actual: Option<&Column>) -> Option<String> {
    let alter = format!("ALTER COLUMN {}", Quoted::new(&column.name));
    let mut clauses = Vec::new();
    let before = actual.map_or(&None, |actual| &actual.storage);
    if before != &column.storage {
        let words = match column.storage.as_deref() {
            Some("p") => "PLAIN",
            Some("e") => "EXTERNAL",
            Some("m") => "MAIN",
            // What most types have that can be long.
            _ => "EXTENDED",
        };
        clauses.push(format!("{alter} SET STORAGE {words}"));
    }
    if actual.map_or("", |actual| actual.compression.as_str()) != column.compression {
        let method = match column.compression.as_str() {
            "p" => "pglz",
            "l" => "lz4",
            _ => "DEFAULT",
        };
        clauses.push(format!("{alter} SET COMPRESSION {method}"));
    }
    (!clauses.is_empty()).then(|| clauses.join(", "))
}

fn options(name: &str, actual: &Table, expected: &Table, steps: &mut Vec<Step>) {
    let key = |option: &String| option.split('=').next().unwrap_or_default().to_owned();
    let gone =
        actual.options.iter().map(key).filter(|gone| !expected.options.iter().any(|option| key(option) == *gone));
    let gone: Vec<_> = gone.collect();
    let set: Vec<_> = expected.options.iter().filter(|option| !actual.options.contains(option)).cloned().collect();
    for (verb, options) in [("RESET", gone), ("SET", set)] {
        if !options.is_empty() {
            let sql = format!("ALTER TABLE {} {verb} ({})", Shared(name), options.join(", "));
            steps.push(Step::new(format!("options of table {name} are others"), sql));
        }
    }
}

/// What a column is called that is there to be dropped.
fn hole(number: i16) -> String {
    format!("_tenant_dropped_{number}")
}
