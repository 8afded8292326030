//! Statements that change rows: V1 (guards and inserted tenants), V4, V5.

use pg_query::{
    NodeEnum,
    protobuf::{
        BoolExpr, BoolExprType, DeleteStmt, IndexElem, InferClause, InsertStmt, Node, OnConflictClause, RangeVar,
        ResTarget, ReturningClause, SelectStmt, SetOperation, UpdateStmt,
    },
};

use super::{Reader, kind, unverified};
use crate::{Name, Refused, Relation, SHARED_SCHEMA, TENANT};

/// The table whose rows are changed.
pub(super) struct Target {
    /// What its columns are qualified with.
    pub(super) exposed: String,
    pub(super) columns: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn insert(&mut self, insert: &InsertStmt) -> Result<(), Refused> {
        let InsertStmt {
            relation,
            cols,
            select_stmt,
            on_conflict_clause,
            returning_clause,
            with_clause,
            r#override: _,
        } = insert;
        with_clause.iter().try_for_each(|with| self.with(with))?;
        self.change(relation.as_ref())?;
        let Some((last, columns)) = cols.split_last() else { return Err(unverified("INSERT without columns")) };
        if self.assigned_name(last)? != TENANT {
            return Err(unverified("INSERT without the tenant"));
        }
        columns.iter().try_for_each(|column| self.assigned(column))?;
        let NodeEnum::SelectStmt(source) = kind(select_stmt.as_deref())? else { return Err(unverified("a source")) };
        let mut source = (**source).clone();
        if !self.strip(&mut source, cols.len()) {
            return Err(unverified("a row without the tenant"));
        }
        // A source does not see the table that it is for.
        let changed = self.changed.take();
        self.query(&source)?;
        self.changed = changed;
        on_conflict_clause.iter().try_for_each(|clause| self.conflict(clause))?;
        self.returning(returning_clause.as_ref())
    }

    pub(super) fn update(&mut self, update: &UpdateStmt) -> Result<(), Refused> {
        let UpdateStmt { relation, target_list, where_clause, from_clause, returning_clause, with_clause } = update;
        with_clause.iter().try_for_each(|with| self.with(with))?;
        self.change(relation.as_ref())?;
        self.sets(target_list)?;
        from_clause.iter().try_for_each(|item| self.item(item))?;
        self.guarded(where_clause.as_deref())?;
        self.returning(returning_clause.as_ref())
    }

    pub(super) fn delete(&mut self, delete: &DeleteStmt) -> Result<(), Refused> {
        let DeleteStmt { relation, using_clause, where_clause, returning_clause, with_clause } = delete;
        with_clause.iter().try_for_each(|with| self.with(with))?;
        self.change(relation.as_ref())?;
        using_clause.iter().try_for_each(|item| self.item(item))?;
        self.guarded(where_clause.as_deref())?;
        self.returning(returning_clause.as_ref())
    }

    fn change(&mut self, relation: Option<&RangeVar>) -> Result<(), Refused> {
        let Some(RangeVar { catalogname, schemaname, relname, inh, relpersistence: _, alias, location: _ }) = relation
        else {
            return Err(unverified("a change of nothing"));
        };
        self.alias(alias.as_ref())?;
        match self.schema.relation(&Name::exact(relname.as_str())) {
            Some(Relation::Tenant(table))
                if catalogname.is_empty() && schemaname == SHARED_SCHEMA && *inh && table.name.as_str() == relname =>
            {
                let exposed = alias.as_ref().map_or(relname, |alias| &alias.aliasname).clone();
                let columns = table.columns.iter().map(|column| column.name.as_str().to_owned()).collect();
                self.changed = Some(Target { exposed, columns });
                Ok(())
            }
            _ => Err(unverified(format!("a change of table {}", crate::Quoted::new(relname)))),
        }
    }

    /// The guard comes first, and what the application asked for is in conjunction with it.
    fn guarded(&mut self, filter: Option<&Node>) -> Result<(), Refused> {
        let exposed = self.changed.as_ref().map(|target| target.exposed.clone()).unwrap_or_default();
        let filter = filter.ok_or_else(|| unverified("a change without a guard"))?;
        if self.is_guard(filter, &exposed) {
            return Ok(());
        }
        match kind(Some(filter))? {
            NodeEnum::BoolExpr(expr) => {
                let BoolExpr { xpr: _, boolop, args, location: _ } = &**expr;
                match args.split_first() {
                    Some((guard, rest))
                        if *boolop == BoolExprType::AndExpr as i32 && self.is_guard(guard, &exposed) =>
                    {
                        self.exprs(rest)
                    }
                    _ => Err(unverified("a change without a guard")),
                }
            }
            _ => Err(unverified("a change without a guard")),
        }
    }

    /// Takes the tenant off the end of every row; false if there is a row without it.
    fn strip(&self, source: &mut SelectStmt, columns: usize) -> bool {
        if source.op != SetOperation::SetopNone as i32 {
            let mut arms = source.larg.iter_mut().chain(source.rarg.iter_mut());
            return arms.all(|arm| self.strip(arm, columns));
        }
        if !source.values_lists.is_empty() {
            return source.values_lists.iter_mut().all(|row| match &mut row.node {
                Some(NodeEnum::List(row)) if row.items.len() == columns => {
                    row.items.pop().is_some_and(|last| self.is_tenant(&last))
                }
                _ => false,
            });
        }
        match source.target_list.pop() {
            Some(Node { node: Some(NodeEnum::ResTarget(last)) }) => {
                last.name.is_empty()
                    && last.indirection.is_empty()
                    && last.val.as_deref().is_some_and(|value| self.is_tenant(value))
            }
            _ => false,
        }
    }

    fn conflict(&mut self, clause: &OnConflictClause) -> Result<(), Refused> {
        let OnConflictClause { action: _, infer, target_list, where_clause, location: _ } = clause;
        if let Some(infer) = infer {
            let InferClause { index_elems, where_clause, conname, location: _ } = &**infer;
            if !conname.is_empty() {
                return Err(unverified("ON CONSTRAINT"));
            }
            for (at, element) in index_elems.iter().enumerate() {
                let NodeEnum::IndexElem(element) = kind(Some(element))? else { return Err(unverified("a key")) };
                let IndexElem { name, expr, collation, opclass, opclassopts, .. } = &**element;
                if !(collation.is_empty() && opclass.is_empty() && opclassopts.is_empty()) {
                    return Err(unverified("a key"));
                }
                match at {
                    0 if name == TENANT && expr.is_none() => {}
                    0 => return Err(unverified("ON CONFLICT without the tenant")),
                    _ => self.name(name)?,
                }
                self.exprs(expr.as_deref())?;
            }
            self.exprs(where_clause.as_deref())?;
        }
        self.sets(target_list)?;
        self.exprs(where_clause.as_deref())
    }

    fn sets(&mut self, targets: &[Node]) -> Result<(), Refused> {
        targets.iter().try_for_each(|target| {
            self.assigned(target)?;
            match kind(Some(target))? {
                NodeEnum::ResTarget(target) => match kind(target.val.as_deref())? {
                    NodeEnum::MultiAssignRef(part) => self.exprs(part.source.as_deref()),
                    _ => self.exprs(target.val.as_deref()),
                },
                _ => Err(unverified("an assignment")),
            }
        })
    }

    /// V5.
    fn assigned(&self, target: &Node) -> Result<(), Refused> {
        self.name(self.assigned_name(target)?)
    }

    fn assigned_name<'n>(&self, target: &'n Node) -> Result<&'n str, Refused> {
        match kind(Some(target))? {
            NodeEnum::ResTarget(target) if target.indirection.is_empty() => Ok(&target.name),
            _ => Err(unverified("an assignment")),
        }
    }

    /// V4.
    fn returning(&mut self, returning: Option<&ReturningClause>) -> Result<(), Refused> {
        let Some(ReturningClause { options, exprs }) = returning else { return Ok(()) };
        if !options.is_empty() {
            return Err(unverified("RETURNING WITH"));
        }
        exprs.iter().try_for_each(|target| {
            let NodeEnum::ResTarget(target) = kind(Some(target))? else { return Err(unverified("a result")) };
            let ResTarget { name, indirection, val, location: _ } = &**target;
            self.name(name)?;
            if let NodeEnum::ColumnRef(column) = kind(val.as_deref())?
                && column.fields.iter().any(|field| matches!(field.node, Some(NodeEnum::AStar(_))))
            {
                return Err(unverified("a star in RETURNING"));
            }
            if !indirection.is_empty() {
                return Err(unverified("a result"));
            }
            self.exprs(val.as_deref())
        })
    }
}
