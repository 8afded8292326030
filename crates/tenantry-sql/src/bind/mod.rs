//! What the names in a statement mean.
//!
//! Binding walks the whole statement once, with the names that are visible at each place, and writes down, as flat
//! lists, everything that a rule has to look at. The rules then need no walk of their own. Every variant of the
//! intermediate representation is matched: what has no verdict is refused here.

mod columns;
mod dml;
mod names;
mod scope;
mod stars;
mod walk;

use std::sync::Arc;

use self::scope::{Exposed, Scope, Visible};
pub(crate) use self::{
    columns::{RowIdRef, is_row_id},
    scope::Role,
};
use crate::{
    Dialect, Name, Refused, SchemaMap, Span, Table, View,
    ir::{ColumnRef, Cte, From, Function, Returning, Select, Statement, TableCall, TableRef},
};

/// What a statement names, resolved.
#[derive(Debug, Default)]
pub(crate) struct Bound<'s> {
    /// The table whose rows are changed.
    pub(crate) target: Option<Arc<Table>>,
    /// Tables, views and stored tables that are read, common table expressions left out.
    pub(crate) reads: Vec<Read<'s>>,
    /// Functions that give rows.
    pub(crate) calls: Vec<&'s TableCall>,
    pub(crate) functions: Vec<&'s Function>,
    /// Columns that are qualified with a schema (R-QUALCOL).
    pub(crate) qualified: Vec<&'s ColumnRef>,
    /// References to row ids (R-SYSCOL).
    pub(crate) row_ids: Vec<RowIdRef<'s>>,
    pub(crate) selects: Vec<&'s Select>,
    /// What `*` stands for where it has to be spelt out, since a leaf shows more than it should.
    pub(crate) stars: Vec<(Span, Vec<(Name, Name)>)>,
    /// `FROM` clauses.
    pub(crate) froms: Vec<&'s From>,
    pub(crate) returning: Option<&'s Returning>,
    /// Whether the table whose rows are changed is joined with others.
    pub(crate) is_joined: bool,
    /// Common table expressions.
    pub(crate) ctes: Vec<&'s Cte>,
}

/// A relation that is read.
#[derive(Debug)]
pub(crate) struct Read<'s> {
    pub(crate) table: &'s TableRef,
    pub(crate) means: Meaning,
    /// Whether it stands on the right of `IN` (R-INTABLE).
    pub(crate) after_in: bool,
}

/// What the name of a relation means.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    Tenant(Arc<Table>),
    Global(Arc<Table>),
    View(Arc<View>),
    /// What SQLite calls `sqlite_schema`.
    Master,
}

/// Resolves the names of a statement.
pub(crate) fn bind<'s>(
    statement: &'s Statement,
    text: &'s str,
    schema: &SchemaMap,
    dialect: Dialect,
) -> Result<Bound<'s>, Refused> {
    let mut binder = walk::Binder::new(text, schema, dialect);
    binder.statement(statement, &Scope::default())?;
    Ok(binder.bound)
}

/// Resolves the names of a statement of a trigger on `table`.
pub(crate) fn bind_in_trigger<'s>(
    statement: &'s Statement,
    text: &'s str,
    schema: &SchemaMap,
    table: &Arc<Table>,
) -> Result<Bound<'s>, Refused> {
    let mut binder = walk::Binder::new(text, schema, Dialect::Sqlite);
    binder.in_trigger = true;
    let rows = ["new", "old"].map(|row| Exposed {
        name: Some(Name::from(row)),
        relation: Visible::Table { table: Arc::clone(table), role: Role::Row },
    });
    binder.statement(statement, &Scope { around: None, items: rows.into() })?;
    Ok(binder.bound)
}
