//! Statements that change rows.

use super::{Expr, From, Output, Query, Row, TableRef, With};
use crate::{Ident, Span};

#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) with: Option<With>,
    /// What happens to rows that break a constraint.
    pub(crate) conflict: Option<Conflict>,
    pub(crate) into: TableRef,
    /// The listed columns; at least one.
    pub(crate) columns: Option<Vec<Ident>>,
    /// Where the list of columns ends, before its parenthesis.
    pub(crate) columns_end: usize,
    pub(crate) source: Source,
    pub(crate) upserts: Vec<Upsert>,
    pub(crate) returning: Option<Returning>,
}

#[derive(Debug)]
pub(crate) enum Source {
    Query(Query),
    /// `DEFAULT VALUES`.
    Default(Span),
}

/// `OR IGNORE` and its kin; the span is that of `OR` and the word, or of `REPLACE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    Abort(Span),
    Fail,
    Ignore,
    Replace,
    Rollback,
}

/// One `ON CONFLICT` clause.
#[derive(Debug)]
pub(crate) struct Upsert {
    pub(crate) target: Option<ConflictTarget>,
    pub(crate) action: UpsertAction,
}

#[derive(Debug)]
pub(crate) struct ConflictTarget {
    /// The terms between the parentheses; none if a constraint is named.
    pub(crate) terms: Vec<Expr>,
    pub(crate) filter: Option<Expr>,
    /// `ON CONSTRAINT`.
    pub(crate) constraint: Option<Ident>,
}

#[derive(Debug)]
pub(crate) enum UpsertAction {
    Nothing,
    Update { sets: Vec<Set>, filter: Option<Expr> },
}

/// `column = value` or `(a, b) = value`.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) columns: Vec<Ident>,
    pub(crate) value: Expr,
}

#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) with: Option<With>,
    pub(crate) table: TableRef,
    pub(crate) sets: Vec<Set>,
    pub(crate) from: Option<From>,
    pub(crate) filter: Where,
    pub(crate) returning: Option<Returning>,
}

#[derive(Debug)]
pub(crate) struct Delete {
    pub(crate) with: Option<With>,
    pub(crate) table: TableRef,
    /// `USING`.
    pub(crate) using: Option<From>,
    pub(crate) filter: Where,
    pub(crate) returning: Option<Returning>,
}

/// `MERGE`.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) with: Option<With>,
    pub(crate) table: TableRef,
    pub(crate) source: From,
    /// What rows are matched by.
    pub(crate) on: Expr,
    pub(crate) arms: Vec<Arm>,
}

/// One `WHEN … THEN …` of `MERGE`.
#[derive(Debug)]
pub(crate) struct Arm {
    /// Whether it is about rows of the table that nothing in the source matches.
    pub(crate) by_source: bool,
    pub(crate) filter: Where,
    pub(crate) action: ArmAction,
}

#[derive(Debug)]
pub(crate) enum ArmAction {
    /// `DO NOTHING` or `DELETE`.
    Plain,
    Update(Vec<Set>),
    Insert {
        /// The listed columns, or where the list would stand.
        columns: Result<Vec<Ident>, usize>,
        /// Where the list of columns ends, before its parenthesis.
        columns_end: usize,
        values: ArmValues,
    },
}

#[derive(Debug)]
pub(crate) enum ArmValues {
    Row(Row),
    /// `DEFAULT VALUES`.
    Default(Span),
}

/// The `WHERE` clause of a statement that changes rows.
#[derive(Debug)]
pub(crate) enum Where {
    Given(Expr),
    /// There is none; this is where it would begin.
    Absent(usize),
}

impl Where {
    pub(crate) const fn expr(&self) -> Option<&Expr> {
        match self {
            Self::Given(expr) => Some(expr),
            Self::Absent(_) => None,
        }
    }
}

/// A `RETURNING` clause.
#[derive(Debug)]
pub(crate) struct Returning {
    pub(crate) outputs: Vec<Output>,
}
