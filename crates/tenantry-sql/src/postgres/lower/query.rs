//! Queries: set operations, `VALUES`, `SELECT` and its clauses, common table expressions.

use pg_query::{
    NodeEnum,
    protobuf::{
        CommonTableExpr, CteCycleClause, CteSearchClause, LockingClause, Node, ResTarget, SelectStmt, SetOperation,
        SortBy, Token as Kind, WindowDef, WithClause,
    },
};

use super::Lowering;
use crate::{
    Code, Refused, Span,
    ir::{Body, Branch, Cte, Expr, Output, Query, Row, Select, Values, With},
};

impl Lowering<'_> {
    pub(super) fn query(&mut self, select: &SelectStmt) -> Result<Query, Refused> {
        let SelectStmt { sort_clause, limit_offset, limit_count, limit_option: _, locking_clause, with_clause, .. } =
            select;
        let with = with_clause.as_ref().map(|with| self.with(with)).transpose()?;
        let mut branches = Vec::new();
        self.branches(select, &mut branches)?;
        locking_clause.iter().try_for_each(|clause| self.locking(clause))?;
        Ok(Query {
            with,
            branches,
            order_by: self.sorts(sort_clause)?,
            limit: self.exprs(limit_count.as_deref().into_iter().chain(limit_offset.as_deref()))?,
        })
    }

    /// The branches of a set operation, or the one of a query without any. What belongs to all of them is left out.
    fn branches(&mut self, select: &SelectStmt, branches: &mut Vec<Branch>) -> Result<(), Refused> {
        match select.op() {
            SetOperation::SetopNone => {
                branches.push(self.branch(select)?);
                Ok(())
            }
            SetOperation::SetopUnion | SetOperation::SetopIntersect | SetOperation::SetopExcept => {
                [&select.larg, &select.rarg].into_iter().try_for_each(|arm| match arm {
                    Some(arm) => self.arm(arm, branches),
                    None => Err(self.refuse(Code::Unknown, "a set operation of one query", -1)),
                })
            }
            SetOperation::Undefined => Err(self.refuse(Code::Unknown, "a query of this kind", -1)),
        }
    }

    fn arm(&mut self, arm: &SelectStmt, branches: &mut Vec<Branch>) -> Result<(), Refused> {
        let own = arm.with_clause.is_some()
            || arm.limit_count.is_some()
            || arm.limit_offset.is_some()
            || !(arm.sort_clause.is_empty() && arm.locking_clause.is_empty());
        if own {
            branches.push(Branch::Query(Box::new(self.query(arm)?)));
            return Ok(());
        }
        self.branches(arm, branches)
    }

    fn branch(&mut self, select: &SelectStmt) -> Result<Branch, Refused> {
        let SelectStmt {
            distinct_clause,
            into_clause,
            target_list,
            from_clause,
            where_clause,
            group_clause,
            group_distinct: _,
            having_clause,
            window_clause,
            values_lists,
            // What belongs to the whole query: `query` looks at it.
            sort_clause: _,
            limit_offset: _,
            limit_count: _,
            limit_option: _,
            locking_clause: _,
            with_clause: _,
            op: _,
            all: _,
            larg: _,
            rarg: _,
        } = select;
        if into_clause.is_some() {
            return Err(self.refuse(Code::UnscopedPath, "SELECT INTO", -1));
        }
        if !values_lists.is_empty() {
            return self.values(values_lists);
        }
        let mut results = self.outputs(target_list)?;
        self.reword_table(&mut results, target_list, from_clause)?;
        let from = self.from(from_clause)?;
        // An empty node stands for DISTINCT without ON.
        let distinct_on = distinct_clause.iter().filter(|node| node.node.is_some());
        let conditions = where_clause.as_deref().into_iter().chain(group_clause).chain(having_clause.as_deref());
        let mut clauses = self.exprs(distinct_on.chain(conditions))?;
        for window in window_clause {
            clauses.push(self.one(|lowering, sites| match &window.node {
                Some(NodeEnum::WindowDef(window)) => lowering.window(window, sites),
                _ => Err(lowering.refuse(Code::Unknown, "something in the place of a window", -1)),
            })?);
        }
        let distinct = !distinct_clause.is_empty();
        let group = self.group(group_clause);
        Ok(Branch::Select(Box::new(Select { span: Span::at(0), distinct, results, from, clauses, group })))
    }

    fn values(&mut self, rows: &[Node]) -> Result<Branch, Refused> {
        let rows = rows.iter().map(|row| match &row.node {
            Some(NodeEnum::List(list)) => Ok(Row { span: Span::at(0), values: self.exprs(&list.items)? }),
            _ => Err(self.refuse(Code::Unknown, "something in the place of a row", -1)),
        });
        Ok(Branch::Values(Values { rows: rows.collect::<Result<_, _>>()? }))
    }

    pub(super) fn outputs(&mut self, targets: &[Node]) -> Result<Vec<Output>, Refused> {
        let mut results = targets.iter().map(|target| self.output(target)).collect::<Result<Vec<_>, _>>()?;
        self.end_results(&mut results, targets);
        Ok(results)
    }

    /// Notes where results end, which the tree does not say: before the comma and the next one, or where the next clause
    /// begins.
    fn end_results(&self, results: &mut [Output], targets: &[Node]) {
        const CLAUSES: &[Kind] = &[
            Kind::Into,
            Kind::From,
            Kind::Where,
            Kind::GroupP,
            Kind::Having,
            Kind::Window,
            Kind::Union,
            Kind::Intersect,
            Kind::Except,
            Kind::Order,
            Kind::Limit,
            Kind::Offset,
            Kind::Fetch,
            Kind::For,
            Kind::On,
            Kind::Returning,
        ];
        let first = |target: &Node| match &target.node {
            Some(NodeEnum::ResTarget(target)) => self.tokens.at(target.location),
            _ => None,
        };
        for (at, result) in results.iter_mut().enumerate() {
            let Some(begin) = targets.get(at).and_then(first) else { continue };
            let end = match targets.get(at + 1) {
                Some(next) => first(next).and_then(|next| next.checked_sub(2)),
                None => self.tokens.up_to(begin, CLAUSES).checked_sub(1),
            };
            let (Output::Star { span } | Output::TableStar { span, .. } | Output::Expr { span, .. }) = result;
            if let Some(last) = end.and_then(|last| self.tokens.list.get(last)) {
                span.end = last.span.end;
            }
        }
    }

    /// One result.
    fn output(&mut self, target: &Node) -> Result<Output, Refused> {
        let Some(NodeEnum::ResTarget(target)) = &target.node else {
            return Err(self.refuse(Code::Unknown, "something in the place of a result", -1));
        };
        let ResTarget { name, indirection, val, location } = &**target;
        if !indirection.is_empty() {
            return Err(self.refuse(Code::Unknown, "a result of this kind", *location));
        }
        let alias = match name.as_str() {
            "" => None,
            name => {
                self.check_column(name, *location)?;
                Some(self.ident(name, *location)?)
            }
        };
        let start = usize::try_from(*location).unwrap_or_default();
        let token = self.tokens.at(*location).and_then(|at| self.tokens.list.get(at));
        let span = token.map_or(Span::at(start), |token| token.span);
        if let Some(NodeEnum::ColumnRef(column)) = val.as_deref().and_then(|node| node.node.as_ref())
            && let Some(star) = self.star(column)?
        {
            return Ok(match star {
                None => Output::Star { span },
                Some(table) => Output::TableStar { span, table },
            });
        }
        let expr = self.exprs(val.as_deref())?.pop();
        let expr = expr.ok_or_else(|| self.refuse(Code::Unknown, "a result without a value", *location))?;
        Ok(Output::Expr { span, expr, alias })
    }

    /// `TABLE t` has no place for a subquery, and becomes `SELECT * FROM t`.
    fn reword_table(&mut self, results: &mut [Output], targets: &[Node], from: &[Node]) -> Result<(), Refused> {
        let [Node { node: Some(NodeEnum::ResTarget(target)) }] = targets else { return Ok(()) };
        if target.location >= 0 {
            return Ok(());
        }
        let word = match from {
            [Node { node: Some(NodeEnum::RangeVar(table)) }] => {
                let before = self.tokens.at(table.location).and_then(|at| at.checked_sub(1));
                before.and_then(|at| self.tokens.list.get(at)).filter(|token| token.kind == Kind::Table)
            }
            _ => None,
        };
        let word = word.ok_or_else(|| self.refuse(Code::Unknown, "TABLE", -1))?.span;
        // In two parts, since there is a place between them where results end.
        let middle = word.end - 1;
        self.reworded.push((Span::new(word.start, middle), "SELECT *"));
        self.reworded.push((Span::new(middle, word.end), " FROM"));
        results.iter_mut().for_each(|star| *star = Output::Star { span: Span::at(middle) });
        Ok(())
    }

    pub(super) fn sorts(&mut self, terms: &[Node]) -> Result<Vec<Expr>, Refused> {
        let terms = terms.iter().map(|term| match &term.node {
            Some(NodeEnum::SortBy(sort)) => {
                let SortBy { node, sortby_dir: _, sortby_nulls: _, use_op, location } = &**sort;
                if !use_op.is_empty() {
                    self.built_in(use_op, *location, Code::Unknown)?;
                }
                let term = self.exprs(node.as_deref())?.pop();
                term.ok_or_else(|| self.refuse(Code::Unknown, "ORDER BY nothing", *location))
            }
            _ => Err(self.refuse(Code::Unknown, "something in the place of a term of ORDER BY", -1)),
        });
        terms.collect()
    }

    pub(super) fn window(&mut self, window: &WindowDef, sites: &mut Vec<crate::ir::Site>) -> Result<(), Refused> {
        let WindowDef {
            name,
            refname,
            partition_clause,
            order_clause,
            frame_options: _,
            start_offset,
            end_offset,
            location,
        } = window;
        self.check_name(name, *location)?;
        self.check_name(refname, *location)?;
        self.all(partition_clause, sites)?;
        for term in self.sorts(order_clause)? {
            sites.extend(term.sites);
        }
        self.all(start_offset.as_deref().into_iter().chain(end_offset.as_deref()), sites)
    }

    pub(super) fn with(&mut self, with: &WithClause) -> Result<With, Refused> {
        let WithClause { ctes, recursive, location: _ } = with;
        let ctes = ctes.iter().map(|cte| match &cte.node {
            Some(NodeEnum::CommonTableExpr(cte)) => self.cte(cte),
            _ => Err(self.refuse(Code::Unknown, "something in the place of a common table expression", -1)),
        });
        Ok(With { in_order: !recursive, ctes: ctes.collect::<Result<_, _>>()? })
    }

    fn cte(&mut self, cte: &CommonTableExpr) -> Result<Cte, Refused> {
        let CommonTableExpr {
            ctename,
            aliascolnames,
            ctematerialized: _,
            ctequery,
            search_clause,
            cycle_clause,
            location,
            // What the analyser fills in later.
            cterecursive: _,
            cterefcount: _,
            ctecolnames: _,
            ctecoltypes: _,
            ctecoltypmods: _,
            ctecolcollations: _,
        } = cte;
        let extended = search_clause.is_some() || cycle_clause.is_some();
        if let Some(CteSearchClause { search_col_list, search_breadth_first: _, search_seq_column, location }) =
            search_clause
        {
            self.columns(search_col_list, *location)?;
            self.check_column(search_seq_column, *location)?;
        }
        if let Some(cycle) = cycle_clause.as_deref() {
            self.cycle(cycle)?;
        }
        let columns = self.columns(aliascolnames, *location)?;
        let body = match ctequery.as_deref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => Body::Query(self.query(select)?),
            Some(
                NodeEnum::InsertStmt(_) | NodeEnum::UpdateStmt(_) | NodeEnum::DeleteStmt(_) | NodeEnum::MergeStmt(_),
            ) => Body::Change(Box::new(self.statement(ctequery.as_deref())?)),
            _ => return Err(self.refuse(Code::Unknown, "a common table expression of this kind", *location)),
        };
        let columns = Some(columns).filter(|columns| !columns.is_empty());
        Ok(Cte { name: self.ident(ctename, *location)?, columns, body, extended })
    }

    fn cycle(&mut self, cycle: &CteCycleClause) -> Result<(), Refused> {
        let CteCycleClause {
            cycle_col_list,
            cycle_mark_column,
            cycle_mark_value,
            cycle_mark_default,
            cycle_path_column,
            location,
            // What the analyser fills in later.
            cycle_mark_type: _,
            cycle_mark_typmod: _,
            cycle_mark_collation: _,
            cycle_mark_neop: _,
        } = cycle;
        self.columns(cycle_col_list, *location)?;
        self.check_column(cycle_mark_column, *location)?;
        self.check_column(cycle_path_column, *location)?;
        let values = self.exprs(cycle_mark_value.as_deref().into_iter().chain(cycle_mark_default.as_deref()))?;
        if values.iter().all(|value| value.sites.is_empty()) {
            return Ok(());
        }
        Err(self.refuse(Code::Unknown, "CYCLE with a mark that is no constant", *location))
    }

    /// `FOR UPDATE` and its kin stay as they are: a lock on a leaf is one on the tenant's rows.
    fn locking(&self, clause: &Node) -> Result<(), Refused> {
        let Some(NodeEnum::LockingClause(clause)) = &clause.node else {
            return Err(self.refuse(Code::Unknown, "something in the place of FOR UPDATE", -1));
        };
        let LockingClause { locked_rels, strength: _, wait_policy: _ } = clause;
        locked_rels.iter().try_for_each(|relation| match &relation.node {
            Some(NodeEnum::RangeVar(alias)) if alias.schemaname.is_empty() && alias.catalogname.is_empty() => {
                self.check_name(&alias.relname, alias.location)
            }
            _ => Err(self.refuse(Code::Unknown, "FOR UPDATE OF something with a schema", -1)),
        })
    }
}
