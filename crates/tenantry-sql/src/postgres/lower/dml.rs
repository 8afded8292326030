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
    Code, Ident, Refused, Span,
    ir::{
        Branch, ConflictTarget, Delete, Expr, Insert, Query, Returning, Set, Source, TableRef, Update, Upsert,
        UpsertAction, Where,
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
        self.renamed.push("excluded".to_owned());
        let with = with_clause.as_ref().map(|with| self.with(with)).transpose()?;
        let columns = cols.iter().map(|column| self.assigned(column)).collect::<Result<Vec<_>, _>>()?;
        let source = match select_stmt.as_deref().and_then(|node| node.node.as_ref()) {
            None => self.default_values(after)?,
            Some(NodeEnum::SelectStmt(select)) => {
                let mut query = self.query(select)?;
                self.place_rows(&mut query, after)?;
                Source::Query(query)
            }
            Some(_) => return Err(self.refuse(Code::Unknown, "INSERT from something of this kind", -1)),
        };
        Ok(Insert {
            with,
            conflict: None,
            into,
            columns: Some(columns).filter(|columns| !columns.is_empty()),
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
    fn target(&mut self, relation: Option<&RangeVar>) -> Result<(TableRef, usize), Refused> {
        let relation = relation.ok_or_else(|| self.refuse(Code::Unknown, "a change of nothing", -1))?;
        self.changes = true;
        let mut table = self.table(relation)?;
        for row in [table.exposed().name.as_str(), "old", "new"] {
            self.renamed.push(row.to_owned());
        }
        let mut after = self.tokens.list.partition_point(|token| token.span.end <= table.named.end);
        if table.alias.is_some() {
            after += if self.tokens.kind(after) == Some(Kind::As) { 2 } else { 1 };
        }
        if let Some(last) = after.checked_sub(1).and_then(|last| self.tokens.list.get(last)) {
            table.span.end = last.span.end;
        }
        Ok((table, after))
    }

    /// A column that is assigned.
    fn assigned(&self, target: &Node) -> Result<Ident, Refused> {
        match &target.node {
            Some(NodeEnum::ResTarget(target)) if target.indirection.is_empty() => {
                self.check_column(&target.name, target.location)?;
                self.ident(&target.name, target.location)
            }
            _ => Err(self.refuse(Code::Unknown, "an assignment to a part of a column", -1)),
        }
    }

    fn sets(&mut self, targets: &[Node]) -> Result<Vec<Set>, Refused> {
        let mut sets = Vec::new();
        for target in targets {
            let column = self.assigned(target)?;
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

    /// Says where the rows of `VALUES` stand. Those of a `SELECT` are known by their results.
    fn place_rows(&self, query: &mut Query, after: usize) -> Result<(), Refused> {
        let refuse = |construct: &'static str| Err(self.refuse(Code::Unknown, construct, -1));
        if let [Branch::Values(values)] = query.branches.as_mut_slice() {
            let mut open = self.tokens.up_to(after, &[Kind::Values]) + 1;
            for row in &mut values.rows {
                let close = self.tokens.up_to(open + 1, &[]);
                let (Some(first), Some(last)) = (self.tokens.list.get(open), self.tokens.list.get(close)) else {
                    return refuse("VALUES in parentheses");
                };
                if first.kind != Kind::Ascii40 || last.kind != Kind::Ascii41 {
                    return refuse("VALUES in parentheses");
                }
                row.span = first.span.to(last.span);
                open = close + 2;
            }
            return Ok(());
        }
        for branch in &mut query.branches {
            match branch {
                Branch::Values(_) => return refuse("INSERT from a set operation with VALUES"),
                Branch::Select(select) if select.results.is_empty() => return refuse("INSERT from no columns"),
                Branch::Select(select) if select.results_end() == 0 => return refuse("INSERT from TABLE"),
                Branch::Select(_) => {}
                Branch::Query(_) => return refuse("INSERT from a query in parentheses with clauses of its own"),
            }
        }
        Ok(())
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
            let refused = self.refuse(Code::Unknown, "ON CONFLICT ON CONSTRAINT", *location);
            return Err(refused.hint("name the columns"));
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
        Ok(ConflictTarget { terms, filter: self.exprs(where_clause.as_deref())?.pop() })
    }

    fn returning(&mut self, returning: Option<&ReturningClause>) -> Result<Option<Returning>, Refused> {
        let Some(ReturningClause { options, exprs }) = returning else { return Ok(None) };
        if !options.is_empty() {
            return Err(self.refuse(Code::WholeRow, "RETURNING WITH", -1));
        }
        Ok(Some(Returning { outputs: self.outputs(exprs)? }))
    }
}
