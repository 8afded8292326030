//! Expressions: what in them can name something.

use super::{Query, TableRef};
use crate::{Ident, Span};

/// An expression, as the list of what it names, in the order of the text.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) span: Span,
    pub(crate) shape: Shape,
    pub(crate) sites: Vec<Site>,
}

/// What an expression is, as far as a rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A reference to a column and nothing else: the first site. The database names the result after the column.
    Column,
    /// A cast of a column, whose name the result has as well.
    Cast,
    /// A `CASE` whose `ELSE` is a column, the last site, whose name the result has as well.
    Otherwise,
    /// The literal `NULL`.
    Null,
    /// A whole number.
    Integer,
    Other,
}

impl Expr {
    /// The column whose name a result has that is this expression, if it is not named otherwise.
    pub(crate) fn named_by(&self) -> Option<&ColumnRef> {
        let site = match self.shape {
            Shape::Column | Shape::Cast => self.sites.first(),
            Shape::Otherwise => self.sites.last(),
            Shape::Null | Shape::Integer | Shape::Other => None,
        };
        match site {
            Some(Site::Column(column)) => Some(column),
            _ => None,
        }
    }
}

/// Something that an expression names.
#[derive(Debug)]
pub(crate) enum Site {
    Column(ColumnRef),
    Function(Function),
    /// A type.
    Type(TypeRef),
    /// `t.*` in an expression, which means the whole row.
    Row(Ident),
    /// `(x).f`, a field of a row: the name of the field, and the column that the row is, if it is one.
    Field {
        of: Option<Ident>,
        field: Ident,
    },
    /// A subquery, its parentheses not included.
    Query(Query),
    /// `x IN t`, a hidden `FROM` (R-INTABLE).
    InTable(TableRef),
    /// `RAISE`, which only triggers may use.
    Raise(Span),
}

/// A column's name, perhaps with the names of its table and schema.
#[derive(Debug)]
pub(crate) struct ColumnRef {
    pub(crate) span: Span,
    pub(crate) schema: Option<Ident>,
    pub(crate) table: Option<Ident>,
    pub(crate) name: Ident,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) schema: Option<crate::Name>,
    pub(crate) name: Ident,
    /// The first argument, if it is a literal.
    pub(crate) literal: Option<String>,
}

/// The name of a type, with its schema.
#[derive(Debug)]
pub(crate) struct TypeRef {
    pub(crate) schema: Option<crate::Name>,
    pub(crate) name: Ident,
}
