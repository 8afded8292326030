//! The intermediate representation: of a statement only what scoping is about, with its place in the text.
//!
//! A front end makes it from the tree of its dialect's own parser. The rules are written against it, once for all
//! dialects. It leaves out what no rule asks for; everything that can name a table, a column, a function or a parameter
//! is in it, and a front end refuses what it cannot represent.

mod dml;
mod expr;
mod query;

pub(crate) use self::{
    dml::{
        Arm, ArmAction, ArmValues, Conflict, ConflictTarget, Delete, Insert, Merge, Returning, Set, Source, Update,
        Upsert, UpsertAction, Where,
    },
    expr::{ColumnRef, Expr, Function, Shape, Site, TypeRef},
    query::{
        Body, Branch, Constraint, Cte, From, GroupTerm, IndexHint, Item, Join, JoinKind, Output, Query, Row, Select,
        TableCall, TableRef, Values, With,
    },
};
use crate::Span;

/// One statement.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) kind: Kind,
    /// The parameters as they are written (`?`, `?7`, `:name`, `@name`, `$name`), in the order of the text.
    pub(crate) parameters: Vec<Span>,
    /// Where comments stand; they are not taken along.
    pub(crate) comments: Vec<Span>,
    /// Words that become others, as `TABLE` that becomes `SELECT * FROM`.
    pub(crate) reworded: Vec<(Span, &'static str)>,
}

/// What a statement does.
#[derive(Debug)]
pub(crate) enum Kind {
    Query(Query),
    Insert(Insert),
    Update(Update),
    Delete(Delete),
    Merge(Box<Merge>),
    /// All rows of these tables go; the spans of the words are those of the whole statement.
    Truncate(Vec<TableRef>, Span),
    /// What is set for the connection or asked of it, and passes as it is.
    Setting(Setting),
    /// The condition of a trigger.
    Condition(Expr),
    /// What begins or ends a transaction or a savepoint, and passes as it is.
    Transaction(crate::Transaction),
    /// A question about the schema, as SQLite's `PRAGMA table_info(t)`.
    Pragma(Pragma),
}

/// What a statement does to a setting of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// It is shown.
    Show,
    /// It is set until the transaction ends.
    Transaction,
    /// It is set for as long as the connection lives.
    Connection,
}

#[derive(Debug)]
pub(crate) struct Pragma {
    pub(crate) name: crate::Ident,
    /// The text between the parentheses or after the equals sign, without quotes.
    pub(crate) argument: Option<String>,
}
