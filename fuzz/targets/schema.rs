//! The tables that texts are tried on.

use std::collections::{HashMap, HashSet};

use tenantry_sql::{Belongs, Limits, Name, SchemaMap, StoredSchema};

const OBJECTS: &[(&str, &str, &str)] = &[
    ("table", "users", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, grp)"),
    ("table", "log", "CREATE TABLE log (at INTEGER, line TEXT)"),
    ("table", "tags", "CREATE TABLE tags (slug TEXT PRIMARY KEY, n INTEGER, m AS (n + 1)) WITHOUT ROWID"),
    ("table", "countries", "CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT)"),
    ("view", "grown", "CREATE VIEW grown (id, size) AS SELECT id, count(*) FROM users, log GROUP BY id"),
];

/// A table of each kind, and a view.
pub fn schema() -> SchemaMap {
    let rows = OBJECTS.iter().map(|(kind, name, sql)| StoredSchema {
        kind: (*kind).to_owned(),
        name: Name::from(*name),
        table: Name::from(*name),
        sql: Some((*sql).to_owned()),
    });
    let numbers: HashMap<_, _> = ["users", "log", "tags"].map(Name::from).into_iter().zip(1..).collect();
    let globals: HashSet<_> = [Name::from("countries")].into();
    let rows: Vec<_> = rows.collect();
    let belongs = Belongs { numbers: &numbers, globals: &globals };
    SchemaMap::read(1, &rows, &belongs, &Limits::default()).expect("the definitions can be read")
}
