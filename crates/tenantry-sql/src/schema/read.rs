//! The schema map as the application's own `sqlite_schema` says it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Relation, SchemaMap, View};
use crate::{
    Code, Limits, Name, Refused,
    sqlite::{
        ddl::{
            definition::{Defines, Definition},
            words::Words,
        },
        lower,
    },
};

/// A row of the application's `sqlite_schema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSchema {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// Its name.
    pub name: Name,
    /// The table that it belongs to.
    pub table: Name,
    /// The text that defines it; an index that a constraint made has none.
    pub sql: Option<String>,
}

/// Whom tables belong to.
#[derive(Clone, Copy, Debug)]
pub struct Belongs<'a> {
    /// The numbers of tables of tenants.
    pub numbers: &'a HashMap<Name, i64>,
    /// The tables that all tenants read and none may change.
    pub globals: &'a HashSet<Name>,
}

impl SchemaMap {
    /// The map of the tables and views that `rows` define.
    ///
    /// # Errors
    ///
    /// A refusal, if a definition cannot be read, or nobody says whom a table belongs to.
    pub fn read<'r>(
        version: u64,
        rows: impl IntoIterator<Item = &'r StoredSchema>,
        belongs: &Belongs<'_>,
        limits: &Limits,
    ) -> Result<Self, Refused> {
        // SQLite's own tables are none of the application's.
        let is_own = |row: &&StoredSchema| {
            let name = row.name.as_str();
            !name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
        };
        let is_relation = |row: &&StoredSchema| row.kind == "table" || row.kind == "view";
        let rows = rows.into_iter().filter(is_own).filter(is_relation);
        let relations = rows.map(|row| relation(row, belongs, limits)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(version, relations))
    }
}

fn relation(row: &StoredSchema, belongs: &Belongs<'_>, limits: &Limits) -> Result<Relation, Refused> {
    let unreadable = || Refused::new(Code::Relation, format!("{} {}", row.kind, row.name.quoted()));
    let text = row.sql.as_deref().ok_or_else(unreadable)?;
    let Definition { kind, comments, .. } = lower::parse_definition(text, limits)?;
    let words = Words { text, comments: &comments };
    match kind {
        Defines::Table(table) if belongs.globals.contains(&row.name) => {
            Ok(Relation::Global(Arc::new(table.facts(0, &words)?)))
        }
        Defines::Table(table) => match belongs.numbers.get(&row.name) {
            Some(number) => Ok(Relation::Tenant(Arc::new(table.facts(*number, &words)?))),
            None => Err(unreadable().hint("create it by a migration that Tenantry runs")),
        },
        Defines::View(view) => {
            let columns = view.columns.map(|columns| columns.into_iter().map(|column| column.name).collect());
            Ok(Relation::View(Arc::new(View { name: view.view.name.name, columns, body: words.at(view.body) })))
        }
        _ => Err(unreadable()),
    }
}
