//! `FROM` clauses.

use sqlite3_parser::{
    ast::{self, JoinOperator, JoinType, SelectTable},
    dialect::TokenType as T,
};

use super::Cursor;
use crate::{
    Refused,
    ir::{Constraint, From, IndexHint, Item, Join, JoinKind, TableCall, TableRef},
};

impl Cursor<'_> {
    pub(super) fn from(&mut self, tree: &ast::FromClause<'_>) -> Result<From, Refused> {
        let start = self.start();
        let Some(first) = tree.select else { return Err(self.misaligned()) };
        let first = self.item(first)?;
        let mut joins = Vec::new();
        for join in tree.joins.iter().flatten() {
            let kind = self.join_operator(&join.operator)?;
            let item = self.item(&join.table)?;
            let constraint = join.constraint.as_ref().map(|constraint| self.constraint(constraint)).transpose()?;
            joins.push(Join { kind, item, constraint });
        }
        Ok(From { span: self.since(start), first, joins })
    }

    fn item(&mut self, tree: &SelectTable<'_>) -> Result<Item, Refused> {
        let start = self.start();
        Ok(match tree {
            SelectTable::Table(name, alias, indexed) => {
                let mut table = self.qualified_name(name)?;
                table.alias = self.alias(alias.as_ref())?;
                table.hint = self.index_hint(indexed.as_ref())?;
                table.span = self.since(start);
                Item::Table(table)
            }
            SelectTable::TableCall(name, arguments, alias) => {
                let TableRef { schema, name, .. } = self.qualified_name(name)?;
                self.expect(T::TK_LP)?;
                let arguments = arguments.iter().flat_map(|arguments| arguments.iter());
                let arguments = self.list(arguments, |cursor, argument| cursor.expr(argument))?;
                self.expect(T::TK_RP)?;
                let alias = self.alias(alias.as_ref())?;
                Item::Call(TableCall { span: self.since(start), schema, name, arguments, alias })
            }
            SelectTable::Select(query, alias) => {
                self.expect(T::TK_LP)?;
                let query = Box::new(self.query(query)?);
                self.expect(T::TK_RP)?;
                let alias = self.alias(alias.as_ref())?;
                Item::Query { span: self.since(start), query, alias, columns: Vec::new(), lateral: false }
            }
            SelectTable::Sub(from, alias) => {
                self.expect(T::TK_LP)?;
                let from = Box::new(self.from(from)?);
                self.expect(T::TK_RP)?;
                let alias = self.alias(alias.as_ref())?;
                Item::Join { span: self.since(start), from, alias }
            }
        })
    }

    /// A target of `INSERT`, `UPDATE` or `DELETE`, with its alias.
    pub(super) fn target(&mut self, name: &ast::QualifiedName<'_>) -> Result<TableRef, Refused> {
        let mut table = self.qualified_name(name)?;
        if let Some(alias) = &name.alias {
            self.expect(T::TK_AS)?;
            table.alias = Some(self.name(alias)?);
        }
        table.span = self.since(table.span.start);
        Ok(table)
    }

    pub(super) fn index_hint(&mut self, indexed: Option<&ast::Indexed<'_>>) -> Result<Option<IndexHint>, Refused> {
        let start = self.start();
        let index = match indexed {
            None => return Ok(None),
            Some(ast::Indexed::NotIndexed) => {
                self.expect_all(&[T::TK_NOT, T::TK_INDEXED])?;
                None
            }
            Some(ast::Indexed::IndexedBy(index)) => {
                self.expect_all(&[T::TK_INDEXED, T::TK_BY])?;
                Some(self.name(index)?)
            }
        };
        Ok(Some(IndexHint { span: self.since(start), index }))
    }

    fn join_operator(&mut self, operator: &JoinOperator) -> Result<JoinKind, Refused> {
        Ok(match operator {
            JoinOperator::Comma => {
                self.expect(T::TK_COMMA)?;
                JoinKind::default()
            }
            JoinOperator::TypedJoin(None) => {
                self.expect(T::TK_JOIN)?;
                JoinKind::default()
            }
            JoinOperator::TypedJoin(Some(expected)) => {
                let mut words = JoinType::empty();
                while self.accept(T::TK_JOIN).is_none() {
                    words |= JoinType::try_from(self.peek_text().as_bytes()).map_err(|_| self.misaligned())?;
                    self.expect_text(self.peek_text())?;
                }
                if words != *expected {
                    return Err(self.misaligned());
                }
                JoinKind {
                    left: words.contains(JoinType::LEFT),
                    right: words.contains(JoinType::RIGHT),
                    natural: words.contains(JoinType::NATURAL),
                }
            }
        })
    }

    fn constraint(&mut self, constraint: &ast::JoinConstraint<'_>) -> Result<Constraint, Refused> {
        let start = self.start();
        match constraint {
            ast::JoinConstraint::On(expr) => {
                self.expect(T::TK_ON)?;
                let expr = self.expr(expr)?;
                Ok(Constraint::On { span: self.since(start), expr })
            }
            ast::JoinConstraint::Using(columns) => {
                self.expect_all(&[T::TK_USING, T::TK_LP])?;
                self.names(columns.iter())?;
                self.expect(T::TK_RP)?;
                Ok(Constraint::Using)
            }
        }
    }
}
