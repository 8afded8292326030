//! What the names in a statement mean.
//!
//! Binding walks the whole statement once, with the names that are visible at each place, and writes down, as flat
//! lists, everything that a rule has to look at. The rules then need no walk of their own. Every variant of the
//! intermediate representation is matched: what has no verdict is refused here.

mod columns;
mod dml;
mod group;
mod names;
mod rows;
mod scope;
mod stars;
mod walk;

use std::sync::Arc;

#[cfg(feature = "postgres")]
pub(crate) use self::group::Any;
use self::scope::{Exposed, Scope, Visible};
pub(crate) use self::{
    columns::{RowIdRef, is_row_id},
    group::Grouped,
    rows::RowRef,
    scope::Role,
};
use crate::{
    Dialect, Name, Refused, SchemaMap, Span, Table, View,
    ir::{
        ColumnRef, Cte, Delete, From, Function, Insert, Merge, Returning, Select, Statement, TableCall, TableRef,
        TypeRef, Update,
    },
};

/// What a statement names, resolved.
#[derive(Debug, Default)]
pub(crate) struct Bound<'s> {
    /// The statements that change rows: the statement itself, and those in its common table expressions before it.
    pub(crate) changes: Vec<Change<'s>>,
    /// The tables that are emptied.
    pub(crate) emptied: Vec<(&'s TableRef, Arc<Table>)>,
    /// Tables, views and stored tables that are read, common table expressions left out.
    pub(crate) reads: Vec<Read<'s>>,
    /// Functions that give rows.
    pub(crate) calls: Vec<&'s TableCall>,
    pub(crate) functions: Vec<&'s Function>,
    pub(crate) types: Vec<&'s TypeRef>,
    /// Columns that are qualified with a schema (R-QUALCOL).
    pub(crate) qualified: Vec<&'s ColumnRef>,
    /// References to row ids (R-SYSCOL).
    pub(crate) row_ids: Vec<RowIdRef<'s>>,
    pub(crate) selects: Vec<&'s Select>,
    /// What `*` stands for where it has to be spelt out, since a leaf shows more than it should.
    pub(crate) stars: Vec<(Span, Vec<(Name, Name)>)>,
    /// `FROM` clauses.
    pub(crate) froms: Vec<&'s From>,
    /// References to a row as a whole (R-WHOLE).
    pub(crate) rows: Vec<RowRef<'s>>,
    /// Primary keys that are grouped by (R-FDGROUP).
    pub(crate) groups: Vec<Grouped>,
    /// Common table expressions.
    pub(crate) ctes: Vec<&'s Cte>,
}

/// A statement that changes rows.
#[derive(Debug)]
pub(crate) struct Change<'s> {
    pub(crate) table: Arc<Table>,
    pub(crate) what: What<'s>,
    pub(crate) returning: Option<&'s Returning>,
    /// What the table is joined with.
    pub(crate) joined: Option<&'s From>,
    /// How many columns the source of `INSERT` gives, where that can be told.
    pub(crate) width: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What<'s> {
    Insert(&'s Insert),
    Update(&'s Update),
    Delete(&'s Delete),
    Merge(&'s Merge),
}

impl<'s> What<'s> {
    /// The table whose rows are changed, as it is named.
    pub(crate) const fn target(self) -> &'s TableRef {
        match self {
            Self::Insert(insert) => &insert.into,
            Self::Update(update) => &update.table,
            Self::Delete(delete) => &delete.table,
            Self::Merge(merge) => &merge.table,
        }
    }
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
    /// One of PostgreSQL's own relations: the name of the view that shows the application's part of it.
    #[cfg(feature = "postgres")]
    Catalog(String),
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
    let rows = ["new", "old"]
        .map(|row| Exposed::new(Some(Name::from(row)), Visible::Table { table: Arc::clone(table), role: Role::Row }));
    binder.statement(statement, &Scope { around: None, items: rows.into() })?;
    Ok(binder.bound)
}
