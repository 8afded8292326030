//! Queries: what stands between `SELECT` and its end.

use super::{Expr, Kind};
use crate::{Ident, Span};

/// A query: one or more branches of a set operation, with what belongs to all of them.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) with: Option<With>,
    /// At least one.
    pub(crate) branches: Vec<Branch>,
    /// The terms of `ORDER BY`.
    pub(crate) order_by: Vec<Expr>,
    /// `LIMIT` and `OFFSET`.
    pub(crate) limit: Vec<Expr>,
}

#[derive(Debug)]
pub(crate) struct With {
    /// Whether each sees only those before it, as in PostgreSQL without `RECURSIVE`.
    pub(crate) in_order: bool,
    pub(crate) ctes: Vec<Cte>,
}

/// A common table expression.
#[derive(Debug)]
pub(crate) struct Cte {
    pub(crate) name: Ident,
    pub(crate) columns: Option<Vec<Ident>>,
    pub(crate) body: Body,
    /// Whether `SEARCH` or `CYCLE` gives it more columns.
    pub(crate) extended: bool,
}

/// What a common table expression consists of.
#[derive(Debug)]
pub(crate) enum Body {
    Query(Query),
    /// A statement that changes rows.
    Change(Box<Kind>),
}

#[derive(Debug)]
pub(crate) enum Branch {
    Select(Box<Select>),
    Values(Values),
    /// A query in parentheses, with clauses of its own.
    Query(Box<Query>),
}

#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) span: Span,
    pub(crate) distinct: bool,
    pub(crate) results: Vec<Output>,
    pub(crate) from: Option<From>,
    /// Everything after `FROM`: `WHERE`, `GROUP BY`, `HAVING`, windows.
    pub(crate) clauses: Vec<Expr>,
    /// The terms of `GROUP BY` that a primary key could consist of (R-FDGROUP).
    pub(crate) group: Vec<GroupTerm>,
}

/// A term of `GROUP BY`, and where it ends.
#[derive(Debug)]
pub(crate) enum GroupTerm {
    /// A column, perhaps with its table.
    Column { table: Option<crate::Name>, name: crate::Name, end: usize },
    /// The number of a result, from one.
    Result { number: usize, end: usize },
}

impl Select {
    /// Where the list of results ends.
    pub(crate) fn results_end(&self) -> usize {
        self.results.last().map_or(self.span.start, |output| output.span().end)
    }
}

/// One result of a `SELECT` or of `RETURNING`.
#[derive(Debug)]
pub(crate) enum Output {
    Star { span: Span },
    TableStar { span: Span, table: Ident },
    Expr { span: Span, expr: Expr, alias: Option<Ident> },
}

impl Output {
    pub(crate) const fn span(&self) -> Span {
        match self {
            Self::Star { span } | Self::TableStar { span, .. } | Self::Expr { span, .. } => *span,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) rows: Vec<Row>,
}

/// A row of `VALUES`, its parentheses included in the span.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) span: Span,
    pub(crate) values: Vec<Expr>,
}

/// A `FROM` clause, or a join in parentheses; the keyword and the parentheses are not included in the span.
#[derive(Debug)]
pub(crate) struct From {
    pub(crate) span: Span,
    pub(crate) first: Item,
    pub(crate) joins: Vec<Join>,
}

impl From {
    /// The items in their order, those within parentheses as one.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        std::iter::once(&self.first).chain(self.joins.iter().map(|join| &join.item))
    }
}

#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) item: Item,
    pub(crate) constraint: Option<Constraint>,
}

/// What kind of join an operator means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JoinKind {
    /// The left operand's rows are kept (`LEFT`, `FULL`).
    pub(crate) left: bool,
    /// The right operand's rows are kept (`RIGHT`, `FULL`).
    pub(crate) right: bool,
    pub(crate) natural: bool,
}

#[derive(Debug)]
pub(crate) enum Constraint {
    On { span: Span, expr: Expr },
    Using,
}

impl Constraint {
    pub(crate) const fn on(&self) -> Option<&Expr> {
        match self {
            Self::On { expr, .. } => Some(expr),
            Self::Using => None,
        }
    }
}

/// What a `FROM` clause lists.
#[derive(Debug)]
pub(crate) enum Item {
    Table(TableRef),
    Call(TableCall),
    /// Functions that give rows and are called as in any expression.
    Functions {
        span: Span,
        calls: Expr,
        alias: Option<Ident>,
    },
    /// The span includes parentheses and alias.
    Query {
        span: Span,
        query: Box<Query>,
        alias: Option<Ident>,
        /// The names that the alias gives its columns, perhaps not all.
        columns: Vec<Ident>,
        /// Whether it sees what stands before it.
        lateral: bool,
    },
    /// The span includes parentheses and alias.
    Join {
        span: Span,
        from: Box<From>,
        alias: Option<Ident>,
    },
}

impl Item {
    pub(crate) const fn span(&self) -> Span {
        match self {
            Self::Table(table) => table.span,
            Self::Call(call) => call.span,
            Self::Functions { span, .. } | Self::Query { span, .. } | Self::Join { span, .. } => *span,
        }
    }

    /// The name that columns are qualified with.
    pub(crate) const fn exposed(&self) -> Option<&Ident> {
        match self {
            Self::Table(table) => Some(table.exposed()),
            Self::Call(call) => match &call.alias {
                Some(alias) => Some(alias),
                None => Some(&call.name),
            },
            Self::Functions { alias, .. } | Self::Query { alias, .. } | Self::Join { alias, .. } => alias.as_ref(),
        }
    }
}

/// A table, a view or a common table expression, by name.
#[derive(Debug)]
pub(crate) struct TableRef {
    /// With schema, alias and index hint.
    pub(crate) span: Span,
    /// Schema and name only.
    pub(crate) named: Span,
    pub(crate) schema: Option<Ident>,
    pub(crate) name: Ident,
    pub(crate) alias: Option<Ident>,
    /// The names that the alias gives its columns, perhaps not all.
    pub(crate) columns: Vec<Ident>,
    pub(crate) hint: Option<IndexHint>,
    /// `TABLESAMPLE` with what belongs to it.
    pub(crate) sample: Option<Span>,
}

impl TableRef {
    /// The name that columns are qualified with.
    pub(crate) const fn exposed(&self) -> &Ident {
        match &self.alias {
            Some(alias) => alias,
            None => &self.name,
        }
    }
}

/// `INDEXED BY i` or `NOT INDEXED`.
#[derive(Debug)]
pub(crate) struct IndexHint {
    pub(crate) span: Span,
    pub(crate) index: Option<Ident>,
}

/// A function that gives rows.
#[derive(Debug)]
pub(crate) struct TableCall {
    /// With alias.
    pub(crate) span: Span,
    pub(crate) schema: Option<Ident>,
    pub(crate) name: Ident,
    pub(crate) arguments: Vec<Expr>,
    pub(crate) alias: Option<Ident>,
}
