//! Statements that change rows.

use pg_query::{
    NodeEnum,
    protobuf::{
        DeleteStmt, IndexElem, InferClause, InsertStmt, MultiAssignRef, Node, OnConflictAction, OnConflictClause,
        RangeVar, ResTarget, ReturningClause, Token as Kind, UpdateStmt,
    },
};

use super::Lowering;
use crate::{
    Code, Ident, Name, Refused, Span,
    ir::{
        Branch, ConflictTarget, Delete, Expr, Insert, Query, Returning, Row, Set, Shape, Site, Source, TableRef,
        Update, Upsert, UpsertAction, Where,
    },
};

impl Lowering<'_> {
    pub(super) fn insert(&mut self, insert: &InsertStmt) -> Result<Insert, Refused> {
        let InsertStmt {
            relation,
            cols,
            select_stmt,
            on_conflict_clause,
            returning_clause,
            with_clause,
            r#override: _,
        } = insert;
        let (into, after) = self.target(relation.as_ref())?;
        let with = with_clause.as_ref().map(|with| self.with(with)).transpose()?;
        let columns = cols.iter().map(|column| self.inserted(column)).collect::<Result<Vec<_>, _>>()?;
        let close = if columns.is_empty() { None } else { Some(self.tokens.up_to(after + 1, &[])) };
        let last = close.and_then(|close| close.checked_sub(1)).and_then(|last| self.tokens.list.get(last));
        let columns_end = last.map_or(into.span.end, |last| last.span.end);
        let source = match select_stmt.as_deref().and_then(|node| node.node.as_ref()) {
            None => self.default_values(after)?,
            Some(NodeEnum::SelectStmt(select)) => {
                let mut query = self.query(select)?;
                self.place_rows(&mut query, close.map_or(after, |close| close + 1))?;
                Source::Query(query)
            }
            Some(_) => return Err(self.refuse(Code::Unknown, "INSERT from something of this kind", -1)),
        };
        Ok(Insert {
            with,
            conflict: None,
            into,
            columns: Some(columns).filter(|columns| !columns.is_empty()),
            columns_end,
            source,
            upserts: on_conflict_clause.iter().map(|clause| self.upsert(clause)).collect::<Result<_, _>>()?,
            returning: self.returning(returning_clause.as_ref())?,
        })
    }

    pub(super) fn update(&mut self, update: &UpdateStmt) -> Result<Update, Refused> {
        let UpdateStmt { relation, target_list, where_clause, from_clause, returning_clause, with_clause } = update;
        let (table, after) = self.target(relation.as_ref())?;
        Ok(Update {
            with: with_clause.as_ref().map(|with| self.with(with)).transpose()?,
            table,
            sets: self.sets(target_list)?,
            from: self.from(from_clause)?,
            filter: self.filter(where_clause.as_deref(), after)?,
            returning: self.returning(returning_clause.as_ref())?,
        })
    }

    pub(super) fn delete(&mut self, delete: &DeleteStmt) -> Result<Delete, Refused> {
        let DeleteStmt { relation, using_clause, where_clause, returning_clause, with_clause } = delete;
        let (table, after) = self.target(relation.as_ref())?;
        Ok(Delete {
            with: with_clause.as_ref().map(|with| self.with(with)).transpose()?,
            table,
            using: self.from(using_clause)?,
            filter: self.filter(where_clause.as_deref(), after)?,
            returning: self.returning(returning_clause.as_ref())?,
        })
    }

    /// The table whose rows are changed, and the token after it and its alias.
    pub(super) fn target(&mut self, relation: Option<&RangeVar>) -> Result<(TableRef, usize), Refused> {
        let relation = relation.ok_or_else(|| self.refuse(Code::Unknown, "a change of nothing", -1))?;
        let mut table = self.table(relation)?;
        let mut after = self.tokens.list.partition_point(|token| token.span.end <= table.named.end);
        if table.alias.is_some() {
            after += if self.tokens.kind(after) == Some(Kind::As) { 2 } else { 1 };
        }
        if let Some(last) = after.checked_sub(1).and_then(|last| self.tokens.list.get(last)) {
            table.span.end = last.span.end;
        }
        Ok((table, after))
    }

    /// A column that is assigned, and what belongs to the part of it that is.
    pub(super) fn assigned(&mut self, target: &Node) -> Result<(Ident, Vec<Site>), Refused> {
        let Some(NodeEnum::ResTarget(target)) = &target.node else {
            return Err(self.refuse(Code::Unknown, "an assignment of this kind", -1));
        };
        let ResTarget { name, indirection, val: _, location } = &**target;
        if Name::exact(name.as_str()).is_reserved() {
            return Err(self.refuse(Code::Assignment, format!("column {}", crate::Quoted::new(name)), *location));
        }
        self.check_column(name, *location)?;
        let mut sites = Vec::new();
        for part in indirection {
            match &part.node {
                // Nothing is called here.
                Some(NodeEnum::String(field)) => self.check_column(&field.sval, *location)?,
                _ => self.parts(None, std::slice::from_ref(part), &mut sites)?,
            }
        }
        Ok((self.ident(name, *location)?, sites))
    }

    /// A column that is inserted.
    fn inserted(&mut self, target: &Node) -> Result<Ident, Refused> {
        let (column, sites) = self.assigned(target)?;
        if sites.is_empty() {
            return Ok(column);
        }
        Err(self.refuse(Code::Unknown, "INSERT of a part of a column that is computed", -1))
    }

    pub(super) fn sets(&mut self, targets: &[Node]) -> Result<Vec<Set>, Refused> {
        let mut sets = Vec::new();
        for target in targets {
            let (column, sites) = self.assigned(target)?;
            let Some(NodeEnum::ResTarget(target)) = &target.node else { continue };
            let ResTarget { name: _, indirection: _, val, location: _ } = &**target;
            let value = match val.as_deref().and_then(|node| node.node.as_ref()) {
                Some(NodeEnum::MultiAssignRef(part)) => {
                    let MultiAssignRef { source, colno, ncolumns: _ } = &**part;
                    // Each column of `(a, b) = (…)` has the whole of the right side.
                    self.exprs(source.as_deref().filter(|_| *colno == 1))?.pop()
                }
                _ => self.exprs(val.as_deref())?.pop(),
            };
            let value = match value {
                Some(mut value) => {
                    value.sites.extend(sites);
                    Some(value)
                }
                None if sites.is_empty() => None,
                None => Some(Expr { span: Span::at(0), shape: Shape::Other, sites }),
            };
            sets.extend(value.map(|value| Set { columns: vec![column], value }));
        }
        Ok(sets)
    }

    /// `WHERE`, and where it stands or would stand.
    fn filter(&mut self, filter: Option<&Node>, after: usize) -> Result<Where, Refused> {
        let end_of =
            |index: usize| index.checked_sub(1).and_then(|last| self.tokens.list.get(last)).map(|token| token.span.end);
        let lost = || self.refuse(Code::Statement, "a WHERE that is not found in the text", -1);
        let end = self.tokens.up_to(after, &[Kind::Returning]);
        let end_at = end_of(end).ok_or_else(lost)?;
        let Some(filter) = filter else { return Ok(Where::Absent(end_at)) };
        let word = self.tokens.up_to(after, &[Kind::Where, Kind::Returning]);
        let first =
            self.tokens.list.get(word + 1).filter(|_| self.tokens.kind(word) == Some(Kind::Where) && word + 1 < end);
        let start = first.ok_or_else(lost)?.span.start;
        let expr = self.exprs([filter])?.pop();
        let expr = expr.ok_or_else(|| self.refuse(Code::Unknown, "an empty WHERE", -1))?;
        Ok(Where::Given(Expr { span: Span::new(start, end_at), ..expr }))
    }

    fn default_values(&self, after: usize) -> Result<Source, Refused> {
        let words = (self.tokens.list.get(after), self.tokens.list.get(after + 1));
        match words {
            (Some(default), Some(values)) if default.kind == Kind::Default && values.kind == Kind::Values => {
                Ok(Source::Default(default.span.to(values.span)))
            }
            _ => Err(self.refuse(Code::Statement, "DEFAULT VALUES that is not found in the text", -1)),
        }
    }

    /// Says where the rows of `VALUES` stand. Those of a `SELECT` are known by their results. The source begins at `first`.
    fn place_rows(&self, query: &mut Query, mut first: usize) -> Result<(), Refused> {
        let refuse = |construct: &'static str| Err(self.refuse(Code::Unknown, construct, -1));
        while query.branches.len() == 1 && self.tokens.kind(first) == Some(Kind::Ascii40) {
            first += 1;
        }
        let mut open = first;
        for branch in &mut query.branches {
            match branch {
                Branch::Values(values) => {
                    open = self.tokens.up_to(open, &[Kind::Values]) + 1;
                    if !self.place(&mut values.rows, &mut open) {
                        return refuse("VALUES in parentheses in a set operation");
                    }
                }
                Branch::Select(select) if select.results.is_empty() => return refuse("INSERT from no columns"),
                Branch::Select(_) => {}
                Branch::Query(query) => self.check_placed(query)?,
            }
        }
        Ok(())
    }

    /// Places rows from the token `open` on, and moves it behind them; false if they are not there.
    fn place(&self, rows: &mut [Row], open: &mut usize) -> bool {
        for row in rows {
            let close = self.tokens.up_to(*open + 1, &[]);
            let (Some(first), Some(last)) = (self.tokens.list.get(*open), self.tokens.list.get(close)) else {
                return false;
            };
            if first.kind != Kind::Ascii40 || last.kind != Kind::Ascii41 {
                return false;
            }
            row.span = first.span.to(last.span);
            *open = close + 2;
        }
        // The last row has no comma behind it.
        *open = open.saturating_sub(1);
        true
    }

    fn check_placed(&self, query: &Query) -> Result<(), Refused> {
        query.branches.iter().try_for_each(|branch| match branch {
            Branch::Values(_) => Err(self.refuse(Code::Unknown, "VALUES in parentheses in a set operation", -1)),
            Branch::Select(select) if select.results.is_empty() => {
                Err(self.refuse(Code::Unknown, "INSERT from no columns", -1))
            }
            Branch::Select(_) => Ok(()),
            Branch::Query(query) => self.check_placed(query),
        })
    }

    fn upsert(&mut self, clause: &OnConflictClause) -> Result<Upsert, Refused> {
        let OnConflictClause { action, infer, target_list, where_clause, location } = clause;
        let target = infer.as_deref().map(|infer| self.conflict(infer)).transpose()?;
        let action = match OnConflictAction::try_from(*action) {
            Ok(OnConflictAction::OnconflictNothing) => UpsertAction::Nothing,
            Ok(OnConflictAction::OnconflictUpdate) => UpsertAction::Update {
                sets: self.sets(target_list)?,
                filter: self.exprs(where_clause.as_deref())?.pop(),
            },
            _ => return Err(self.refuse(Code::Unknown, "ON CONFLICT of this kind", *location)),
        };
        Ok(Upsert { target, action })
    }

    fn conflict(&mut self, infer: &InferClause) -> Result<ConflictTarget, Refused> {
        let InferClause { index_elems, where_clause, conname, location } = infer;
        if !conname.is_empty() {
            let constraint = Some(self.ident(conname, *location)?);
            return Ok(ConflictTarget { terms: Vec::new(), filter: None, constraint });
        }
        let open = self.tokens.at(*location).and_then(|at| self.tokens.list.get(at));
        let open = open.filter(|token| token.kind == Kind::Ascii40);
        let open = open.ok_or_else(|| self.refuse(Code::Statement, "ON CONFLICT without columns", *location))?.span;
        let mut terms = Vec::new();
        for element in index_elems {
            let Some(NodeEnum::IndexElem(element)) = &element.node else {
                return Err(self.refuse(Code::Unknown, "ON CONFLICT on something of this kind", *location));
            };
            let IndexElem { name, expr, collation, opclass, opclassopts, .. } = &**element;
            if !(collation.is_empty() && opclass.is_empty() && opclassopts.is_empty()) {
                return Err(self.refuse(Code::Unknown, "ON CONFLICT with a collation or an operator class", *location));
            }
            self.check_column(name, *location)?;
            let term = self.one(|lowering, sites| lowering.all(expr.as_deref(), sites))?;
            terms.push(Expr { span: Span::at(open.end), ..term });
        }
        Ok(ConflictTarget { terms, filter: self.exprs(where_clause.as_deref())?.pop(), constraint: None })
    }

    fn returning(&mut self, returning: Option<&ReturningClause>) -> Result<Option<Returning>, Refused> {
        let Some(ReturningClause { options, exprs }) = returning else { return Ok(None) };
        if !options.is_empty() {
            return Err(self.refuse(Code::WholeRow, "RETURNING WITH", -1));
        }
        Ok(Some(Returning { outputs: self.outputs(exprs)? }))
    }
}
