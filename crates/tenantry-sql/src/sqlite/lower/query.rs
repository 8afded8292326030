//! Queries.

use sqlite3_parser::{
    ast::{self, CompoundOperator, OneSelect},
    dialect::TokenType as T,
};

use super::Cursor;
use crate::{
    Refused,
    ir::{Body, Branch, Cte, Output, Query, Row, Select, Values, With},
};

impl Cursor<'_> {
    pub(crate) fn query(&mut self, tree: &ast::Select<'_>) -> Result<Query, Refused> {
        let with = self.with(tree.with.as_ref())?;
        let mut branches = vec![self.branch(&tree.body.select)?];
        for compound in tree.body.compounds.iter().flatten() {
            match compound.operator {
                CompoundOperator::Union => self.expect_all(&[T::TK_UNION])?,
                CompoundOperator::UnionAll => self.expect_all(&[T::TK_UNION, T::TK_ALL])?,
                CompoundOperator::Except => self.expect_all(&[T::TK_EXCEPT])?,
                CompoundOperator::Intersect => self.expect_all(&[T::TK_INTERSECT])?,
            }
            branches.push(self.branch(&compound.select)?);
        }
        let order_by = match tree.order_by {
            None => Vec::new(),
            Some(terms) => {
                self.expect_all(&[T::TK_ORDER, T::TK_BY])?;
                self.sorted(terms)?
            }
        };
        let limit = tree.limit.map_or_else(|| Ok(Vec::new()), |limit| self.limit(limit))?;
        Ok(Query { with, branches, order_by, limit })
    }

    pub(super) fn with(&mut self, tree: Option<&ast::With<'_>>) -> Result<Option<With>, Refused> {
        let Some(tree) = tree else { return Ok(None) };
        self.expect(T::TK_WITH)?;
        if tree.recursive {
            self.expect(T::TK_RECURSIVE)?;
        }
        let ctes = self.list(tree.ctes, |cursor, cte| cursor.cte(cte))?;
        Ok(Some(With { in_order: false, ctes }))
    }

    fn cte(&mut self, tree: &ast::CommonTableExpr<'_>) -> Result<Cte, Refused> {
        let name = self.name(&tree.tbl_name)?;
        let columns = tree.columns.map(|columns| self.indexed_columns(columns)).transpose()?;
        self.expect(T::TK_AS)?;
        match tree.materialized {
            ast::Materialized::Any => {}
            ast::Materialized::Yes => self.expect_all(&[T::TK_MATERIALIZED])?,
            ast::Materialized::No => self.expect_all(&[T::TK_NOT, T::TK_MATERIALIZED])?,
        }
        self.expect(T::TK_LP)?;
        let query = self.query(tree.select)?;
        self.expect(T::TK_RP)?;
        Ok(Cte { name, columns, body: Body::Query(query), extended: false })
    }

    /// Names in parentheses, with what SQLite allows after them.
    pub(crate) fn indexed_columns(&mut self, columns: &[ast::IndexedColumn<'_>]) -> Result<Vec<crate::Ident>, Refused> {
        self.expect(T::TK_LP)?;
        let names = self.list(columns, |cursor, column| {
            let name = cursor.name(&column.col_name)?;
            if let Some(collation) = &column.collation_name {
                cursor.expect(T::TK_COLLATE)?;
                cursor.name(collation)?;
            }
            cursor.sort_order(column.order)?;
            Ok(name)
        })?;
        self.expect(T::TK_RP)?;
        Ok(names)
    }

    fn branch(&mut self, tree: &OneSelect<'_>) -> Result<Branch, Refused> {
        match tree {
            OneSelect::Values(rows) => {
                self.expect(T::TK_VALUES)?;
                let rows = self.list(rows.iter(), |cursor, row| cursor.row(row))?;
                Ok(Branch::Values(Values { rows }))
            }
            OneSelect::Select { distinctness, columns, from, where_clause, group_by, having, window_clause } => {
                let start = self.expect(T::TK_SELECT)?.start;
                self.distinctness(distinctness.as_ref())?;
                let results = self.outputs(columns)?;
                let from = from.as_ref().map(|from| {
                    self.expect(T::TK_FROM)?;
                    self.from(from)
                });
                let from = from.transpose()?;
                let mut clauses = Vec::new();
                if let Some(filter) = where_clause {
                    self.expect(T::TK_WHERE)?;
                    clauses.push(self.expr(filter)?);
                }
                if let Some(terms) = group_by {
                    self.expect_all(&[T::TK_GROUP, T::TK_BY])?;
                    clauses.extend(self.list(*terms, |cursor, term| cursor.expr(term))?);
                }
                if let Some(filter) = having {
                    self.expect(T::TK_HAVING)?;
                    clauses.push(self.expr(filter)?);
                }
                if let Some(windows) = window_clause {
                    clauses.push(self.windows(windows)?);
                }
                let distinct = matches!(distinctness, Some(ast::Distinctness::Distinct));
                let span = self.since(start);
                Ok(Branch::Select(Box::new(Select { span, distinct, results, from, clauses, group: Vec::new() })))
            }
        }
    }

    fn row(&mut self, values: &[ast::Expr<'_>]) -> Result<Row, Refused> {
        let start = self.expect(T::TK_LP)?.start;
        let values = self.list(values, |cursor, value| cursor.expr(value))?;
        self.expect(T::TK_RP)?;
        Ok(Row { span: self.since(start), values })
    }

    /// The results of a `SELECT` or of `RETURNING`.
    pub(super) fn outputs(&mut self, columns: &[ast::ResultColumn<'_>]) -> Result<Vec<Output>, Refused> {
        self.list(columns, |cursor, column| {
            let start = cursor.start();
            Ok(match column {
                ast::ResultColumn::Star => Output::Star { span: cursor.expect(T::TK_STAR)? },
                ast::ResultColumn::TableStar(table) => {
                    let table = cursor.name(table)?;
                    cursor.expect_all(&[T::TK_DOT, T::TK_STAR])?;
                    Output::TableStar { span: cursor.since(start), table }
                }
                ast::ResultColumn::Expr(expr, alias) => {
                    let expr = cursor.expr(expr)?;
                    let alias = cursor.alias(alias.as_ref())?;
                    Output::Expr { span: cursor.since(start), expr, alias }
                }
            })
        })
    }
}
