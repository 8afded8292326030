//! Names: each is looked at, wherever it stands.

use pg_query::{
    NodeEnum,
    protobuf::{Alias, Node, RangeVar, Token as Kind},
};

use super::Lowering;
use crate::{Code, Ident, Name, Refused, Span, ir};

/// The system columns that every table has. They are no columns of a leaf, so that the name would mean another table's.
const SYSTEM: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

impl Lowering<'_> {
    /// A name at a place; S04.
    pub(super) fn ident(&self, text: &str, location: i32) -> Result<Ident, Refused> {
        let name = Name::exact(text);
        if name.is_reserved() {
            return Err(self.refuse(Code::Reserved, format!("name {}", name.quoted()), location));
        }
        let start = usize::try_from(location).unwrap_or_default();
        let end =
            self.tokens.at(location).and_then(|at| self.tokens.list.get(at)).map_or(start, |token| token.span.end);
        Ok(Ident { name, span: Span::new(start, end) })
    }

    /// A name that says nothing to the rules.
    pub(super) fn check_name(&self, text: &str, location: i32) -> Result<(), Refused> {
        self.ident(text, location).map(drop)
    }

    /// A name of a column, where one is used or given.
    pub(super) fn check_column(&self, text: &str, location: i32) -> Result<(), Refused> {
        if SYSTEM.contains(&text) {
            return Err(self.refuse(Code::SystemColumn, format!("column {}", crate::Quoted::new(text)), location));
        }
        self.check_name(text, location)
    }

    /// Names in a list.
    pub(super) fn columns(&self, names: &[Node], location: i32) -> Result<Vec<Ident>, Refused> {
        let each = names.iter().map(|name| {
            let text = self.string(name, location)?;
            self.check_column(text, location)?;
            self.ident(text, location)
        });
        each.collect()
    }

    pub(super) fn string<'n>(&self, node: &'n Node, location: i32) -> Result<&'n str, Refused> {
        match &node.node {
            Some(NodeEnum::String(string)) => Ok(&string.sval),
            _ => Err(self.refuse(Code::Unknown, "something in the place of a name", location)),
        }
    }

    /// The name of what is built in, with or without its schema: of a type, a function, an operator, a collation.
    pub(super) fn built_in<'n>(&self, names: &'n [Node], location: i32, code: Code) -> Result<&'n str, Refused> {
        let names: Vec<_> = names.iter().map(|name| self.string(name, location)).collect::<Result<_, _>>()?;
        match names.as_slice() {
            [name] | ["pg_catalog", name] => Ok(name),
            _ => Err(self.refuse(code, format!("{} of another schema", names.join(".")), location)),
        }
    }

    /// The name of a type or a function, with its schema.
    pub(super) fn qualified(
        &self,
        names: &[Node],
        location: i32,
        code: Code,
    ) -> Result<(Option<Name>, Ident), Refused> {
        let parts: Vec<_> = names.iter().map(|name| self.string(name, location)).collect::<Result<_, _>>()?;
        match parts.as_slice() {
            [name] => Ok((None, self.ident(name, location)?)),
            [schema, name] => Ok((Some(self.ident(schema, location)?.name), self.ident(name, location)?)),
            _ => Err(self.refuse(code, format!("{} of another database", parts.join(".")), location)),
        }
    }

    /// An alias, and the names that it gives columns.
    pub(super) fn alias(&self, alias: Option<&Alias>, location: i32) -> Result<(Option<Ident>, Vec<Ident>), Refused> {
        let Some(Alias { aliasname, colnames }) = alias else { return Ok((None, Vec::new())) };
        Ok((Some(self.ident(aliasname, location)?), self.columns(colnames, location)?))
    }

    /// A relation that is named.
    pub(super) fn table(&self, range: &RangeVar) -> Result<ir::TableRef, Refused> {
        let RangeVar { catalogname, schemaname, relname, inh, relpersistence: _, alias, location } = range;
        if !catalogname.is_empty() {
            return Err(self.refuse(
                Code::Relation,
                format!("database {}", crate::Quoted::new(catalogname)),
                *location,
            ));
        }
        let schema = Some(schemaname).filter(|name| !name.is_empty());
        let schema = schema.map(|name| self.ident(name, *location)).transpose()?;
        let name = self.ident(relname, *location)?;
        let named = self.named(schema.is_some(), !inh, *location)?;
        let (alias, columns) = self.alias(alias.as_ref(), *location)?;
        Ok(ir::TableRef { span: named, named, schema, name, alias, columns, hint: None, sample: None })
    }

    /// Where the name of a relation stands, with its schema and the star that PostgreSQL allows after it. `ONLY` goes with it:
    /// a shared table has no others that inherit from it.
    fn named(&self, qualified: bool, only: bool, location: i32) -> Result<Span, Refused> {
        let refuse = || self.refuse(Code::Statement, "a table whose name is not found in the text", location);
        let first = self.tokens.at(location).ok_or_else(refuse)?;
        if qualified && self.tokens.kind(first + 1) != Some(Kind::Ascii46) {
            return Err(refuse());
        }
        let name = if qualified { first + 2 } else { first };
        let kind = |at: Option<usize>| at.and_then(|at| self.tokens.kind(at));
        let (first, last) = match (only, kind(first.checked_sub(1))) {
            (false, _) if self.tokens.kind(name + 1) == Some(Kind::Ascii42) => (first, name + 1),
            (false, _) => (first, name),
            (true, Some(Kind::Only)) => (first - 1, name),
            (true, Some(Kind::Ascii40)) if kind(first.checked_sub(2)) == Some(Kind::Only) => (first - 2, name + 1),
            (true, _) => return Err(refuse()),
        };
        let (first, last) = (self.tokens.list.get(first), self.tokens.list.get(last));
        first.zip(last).map(|(first, last)| first.span.to(last.span)).ok_or_else(refuse)
    }
}
