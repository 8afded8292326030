//! Definitions as they are written: what of a `CREATE` or `ALTER` statement conversion asks for, with its place.

use crate::{
    Ident, Name, Span,
    ir::{Expr, Kind, Pragma, Query, TableRef},
};

/// A statement of a migration.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) kind: Defines,
    /// Without the semicolons around it.
    pub(crate) span: Span,
    /// Parameters, which none of these may have.
    pub(crate) parameters: Vec<Span>,
    /// Where comments stand; they are not taken along.
    pub(crate) comments: Vec<Span>,
}

#[derive(Debug)]
pub(crate) enum Defines {
    Table(CreateTable),
    Index(CreateIndex),
    View(CreateView),
    Trigger(Box<CreateTrigger>),
    Drop(Drop),
    Alter(Alter),
    Pragma(Pragma),
    Transaction,
    /// It reads or changes rows, and is none of conversion's business.
    Rows,
}

#[derive(Debug)]
pub(crate) struct CreateTable {
    pub(crate) table: TableRef,
    pub(crate) if_not_exists: bool,
    /// At least one.
    pub(crate) columns: Vec<ColumnDef>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) strict: bool,
    pub(crate) without_row_id: bool,
}

#[derive(Debug)]
pub(crate) struct ColumnDef {
    pub(crate) name: Ident,
    pub(crate) declared: Option<Declared>,
    pub(crate) rules: Vec<ColumnRule>,
}

/// A column's type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    pub(crate) span: Span,
    /// Whether it is exactly `INTEGER`, quoted or not.
    pub(crate) is_integer: bool,
}

/// A constraint or property of one column.
#[derive(Debug)]
pub(crate) struct ColumnRule {
    /// With the name before it.
    pub(crate) span: Span,
    pub(crate) name: Option<Ident>,
    pub(crate) kind: ColumnRuleKind,
}

#[derive(Debug)]
pub(crate) enum ColumnRuleKind {
    PrimaryKey {
        descending: bool,
        conflict: Option<Span>,
        auto_increment: bool,
    },
    Unique {
        conflict: Option<Span>,
    },
    References(Reference),
    /// `DEFERRABLE`, which belongs to the last foreign key before it.
    Deferred(bool),
    NotNull,
    /// `NULL`, which means nothing.
    Null,
    Check(Expr),
    Default(DefaultValue),
    Collate,
    Generated(Expr),
}

#[derive(Debug)]
pub(crate) struct DefaultValue {
    pub(crate) expr: Expr,
    /// A bare word, which is a string here.
    pub(crate) word: Option<Name>,
}

/// A constraint of a table.
#[derive(Debug)]
pub(crate) struct Constraint {
    /// With the name before it.
    pub(crate) span: Span,
    pub(crate) name: Option<Ident>,
    pub(crate) kind: ConstraintKind,
}

#[derive(Debug)]
pub(crate) enum ConstraintKind {
    PrimaryKey { terms: Vec<Term>, auto_increment: bool, conflict: Option<Span> },
    Unique { terms: Vec<Term>, conflict: Option<Span> },
    ForeignKey { columns: Vec<Ident>, reference: Reference },
    Check(Expr),
}

/// A term of a key or an index.
#[derive(Debug)]
pub(crate) struct Term {
    /// With collation and direction.
    pub(crate) span: Span,
    pub(crate) expr: Expr,
    /// The column, if it is one.
    pub(crate) column: Option<Name>,
}

/// A `REFERENCES` clause.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) parent: Ident,
    pub(crate) columns: Option<Vec<Ident>>,
    pub(crate) on_delete: Acts,
    pub(crate) on_update: Acts,
    pub(crate) deferred: bool,
}

/// What a foreign key does, without the expressions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Acts {
    #[default]
    Nothing,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Debug)]
pub(crate) struct CreateIndex {
    pub(crate) index: TableRef,
    pub(crate) table: Ident,
    pub(crate) unique: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) terms: Vec<Term>,
    pub(crate) filter: Option<Expr>,
}

#[derive(Debug)]
pub(crate) struct CreateView {
    pub(crate) view: TableRef,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Option<Vec<Ident>>,
    /// Its `SELECT`.
    pub(crate) body: Span,
    #[expect(
        dead_code,
        reason = "the body is lowered so that it is known to be aligned; it is read again from its text"
    )]
    pub(crate) query: Query,
}

#[derive(Debug)]
pub(crate) struct CreateTrigger {
    pub(crate) trigger: TableRef,
    pub(crate) instead_of: bool,
    /// Whether there is no `NEW`.
    pub(crate) on_delete: bool,
    pub(crate) table: TableRef,
    pub(crate) when: Option<Expr>,
    pub(crate) commands: Vec<Kind>,
}

#[derive(Debug)]
pub(crate) struct Drop {
    pub(crate) kind: Dropped,
    pub(crate) if_exists: bool,
    pub(crate) name: TableRef,
}

/// What kind of thing is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    Table,
    Index,
    View,
    Trigger,
}

#[derive(Debug)]
pub(crate) struct Alter {
    pub(crate) table: TableRef,
    pub(crate) kind: AlterKind,
}

#[derive(Debug)]
pub(crate) enum AlterKind {
    RenameTable(Ident),
    RenameColumn { from: Ident, to: Ident },
    DropColumn(Ident),
    AddColumn(ColumnDef),
}
