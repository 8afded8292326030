//! Clauses that occur in several places: ordering, limits, windows, aliases.

use sqlite3_parser::{
    ast::{self, FrameBound, NullsOrder, SortOrder},
    dialect::TokenType as T,
};

use super::Cursor;
use crate::{
    Ident, Refused,
    ir::{Expr, Site},
};

impl Cursor<'_> {
    /// `AS name` or `name`.
    pub(super) fn alias(&mut self, alias: Option<&ast::As<'_>>) -> Result<Option<Ident>, Refused> {
        match alias {
            None => Ok(None),
            Some(ast::As::As(name)) => {
                self.expect(T::TK_AS)?;
                self.name(name).map(Some)
            }
            Some(ast::As::Elided(name)) => self.name(name).map(Some),
        }
    }

    pub(super) fn distinctness(&mut self, distinctness: Option<&ast::Distinctness>) -> Result<(), Refused> {
        match distinctness {
            None => Ok(()),
            Some(ast::Distinctness::Distinct) => self.expect(T::TK_DISTINCT).map(drop),
            Some(ast::Distinctness::All) => self.expect(T::TK_ALL).map(drop),
        }
    }

    /// `ORDER BY` and its terms.
    pub(super) fn order_by(&mut self, terms: &[ast::SortedColumn<'_>], sites: &mut Vec<Site>) -> Result<(), Refused> {
        self.expect_all(&[T::TK_ORDER, T::TK_BY])?;
        let terms = self.sorted(terms)?;
        sites.extend(terms.into_iter().flat_map(|term| term.sites));
        Ok(())
    }

    /// Terms with their directions.
    pub(crate) fn sorted(&mut self, terms: &[ast::SortedColumn<'_>]) -> Result<Vec<Expr>, Refused> {
        self.list(terms, |cursor, term| {
            let expr = cursor.expr(&term.expr)?;
            cursor.sort_order(term.order)?;
            match term.nulls {
                None => {}
                Some(NullsOrder::First) => cursor.expect_all(&[T::TK_NULLS, T::TK_FIRST])?,
                Some(NullsOrder::Last) => cursor.expect_all(&[T::TK_NULLS, T::TK_LAST])?,
            }
            Ok(expr)
        })
    }

    pub(crate) fn sort_order(&mut self, order: Option<SortOrder>) -> Result<(), Refused> {
        match order {
            None => Ok(()),
            Some(SortOrder::Asc) => self.expect(T::TK_ASC).map(drop),
            Some(SortOrder::Desc) => self.expect(T::TK_DESC).map(drop),
        }
    }

    pub(super) fn limit(&mut self, limit: &ast::Limit<'_>) -> Result<Vec<Expr>, Refused> {
        self.expect(T::TK_LIMIT)?;
        let mut exprs = vec![self.expr(&limit.expr)?];
        if let Some(offset) = &limit.offset {
            // `LIMIT 2, 5` and `LIMIT 5 OFFSET 2` are not told apart by the tree; the text stays as it is.
            if self.accept(T::TK_COMMA).is_none() {
                self.expect(T::TK_OFFSET)?;
            }
            exprs.push(self.expr(offset)?);
        }
        Ok(exprs)
    }

    /// `FILTER (…)` and `OVER …`.
    pub(super) fn function_tail(
        &mut self,
        tail: Option<&ast::FunctionTail<'_>>,
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        let Some(ast::FunctionTail { filter_clause, over_clause }) = tail else { return Ok(()) };
        if let Some(filter) = filter_clause {
            self.expect_all(&[T::TK_FILTER, T::TK_LP, T::TK_WHERE])?;
            self.sites(filter, sites)?;
            self.expect(T::TK_RP)?;
        }
        match over_clause {
            None => Ok(()),
            Some(ast::Over::Name(name)) => {
                self.expect(T::TK_OVER)?;
                self.name(name).map(drop)
            }
            Some(ast::Over::Window(window)) => {
                self.expect(T::TK_OVER)?;
                self.window(window, sites)
            }
        }
    }

    /// `WINDOW name AS (…), …`.
    pub(super) fn windows(&mut self, windows: &[ast::WindowDef<'_>]) -> Result<Expr, Refused> {
        let (start, mut sites) = (self.start(), Vec::new());
        self.expect(T::TK_WINDOW)?;
        self.list(windows, |cursor, definition| {
            cursor.name(&definition.name)?;
            cursor.expect(T::TK_AS)?;
            cursor.window(&definition.window, &mut sites)
        })?;
        Ok(Expr { span: self.since(start), shape: crate::ir::Shape::Other, sites })
    }

    fn window(&mut self, window: &ast::Window<'_>, sites: &mut Vec<Site>) -> Result<(), Refused> {
        self.expect(T::TK_LP)?;
        window.base.iter().try_for_each(|base| self.name(base).map(drop))?;
        if let Some(exprs) = &window.partition_by {
            self.expect_all(&[T::TK_PARTITION, T::TK_BY])?;
            self.all_sites(*exprs, sites)?;
        }
        window.order_by.iter().try_for_each(|terms| self.order_by(terms, sites))?;
        window.frame_clause.iter().try_for_each(|frame| self.frame(frame, sites))?;
        self.expect(T::TK_RP).map(drop)
    }

    fn frame(&mut self, frame: &ast::FrameClause<'_>, sites: &mut Vec<Site>) -> Result<(), Refused> {
        self.expect(match frame.mode {
            ast::FrameMode::Groups => T::TK_GROUPS,
            ast::FrameMode::Range => T::TK_RANGE,
            ast::FrameMode::Rows => T::TK_ROWS,
        })?;
        match &frame.end {
            None => self.frame_bound(&frame.start, sites)?,
            Some(end) => {
                self.expect(T::TK_BETWEEN)?;
                self.frame_bound(&frame.start, sites)?;
                self.expect(T::TK_AND)?;
                self.frame_bound(end, sites)?;
            }
        }
        match frame.exclude {
            None => Ok(()),
            Some(ast::FrameExclude::NoOthers) => self.expect_all(&[T::TK_EXCLUDE, T::TK_NO, T::TK_OTHERS]),
            Some(ast::FrameExclude::CurrentRow) => self.expect_all(&[T::TK_EXCLUDE, T::TK_CURRENT, T::TK_ROW]),
            Some(ast::FrameExclude::Group) => self.expect_all(&[T::TK_EXCLUDE, T::TK_GROUP]),
            Some(ast::FrameExclude::Ties) => self.expect_all(&[T::TK_EXCLUDE, T::TK_TIES]),
        }
    }

    fn frame_bound(&mut self, bound: &FrameBound<'_>, sites: &mut Vec<Site>) -> Result<(), Refused> {
        match bound {
            FrameBound::CurrentRow => self.expect_all(&[T::TK_CURRENT, T::TK_ROW]),
            FrameBound::UnboundedFollowing => self.expect_all(&[T::TK_UNBOUNDED, T::TK_FOLLOWING]),
            FrameBound::UnboundedPreceding => self.expect_all(&[T::TK_UNBOUNDED, T::TK_PRECEDING]),
            FrameBound::Following(expr) => {
                self.sites(expr, sites)?;
                self.expect(T::TK_FOLLOWING).map(drop)
            }
            FrameBound::Preceding(expr) => {
                self.sites(expr, sites)?;
                self.expect(T::TK_PRECEDING).map(drop)
            }
        }
    }
}
