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
    /// Whether there is a row that could not be inserted.
    pub(super) excluded: bool,
    /// Its constraints that conflicts can be about.
    pub(super) constraints: Vec<String>,
}

impl Reader<'_> {
    /// A statement that changes rows, by itself or as a common table expression.
    pub(super) fn change(&mut self, statement: &NodeEnum) -> Result<(), Refused> {
        let (around, visible, inner) = (self.changed.take(), self.ctes.len(), self.inner.len());
        match statement {
            NodeEnum::InsertStmt(insert) => self.insert(insert),
            NodeEnum::UpdateStmt(update) => self.update(update),
            NodeEnum::DeleteStmt(delete) => self.delete(delete),
            NodeEnum::MergeStmt(merge) => self.merge(merge),
            _ => Err(unverified("a statement of another kind")),
        }?;
        self.changed = around;
        self.ctes.truncate(visible);
        self.inner.truncate(inner);
        Ok(())
    }

    fn insert(&mut self, insert: &InsertStmt) -> Result<(), Refused> {
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
        self.target_of(relation.as_ref())?;
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
        self.changed = changed.map(|target| Target { excluded: true, ..target });
        on_conflict_clause.iter().try_for_each(|clause| self.conflict(clause))?;
        self.returning(returning_clause.as_ref())
    }

    fn update(&mut self, update: &UpdateStmt) -> Result<(), Refused> {
        let UpdateStmt { relation, target_list, where_clause, from_clause, returning_clause, with_clause } = update;
        with_clause.iter().try_for_each(|with| self.with(with))?;
        self.target_of(relation.as_ref())?;
        self.items(from_clause)?;
        self.sets(target_list)?;
        self.guarded(where_clause.as_deref())?;
        self.returning(returning_clause.as_ref())
    }

    fn delete(&mut self, delete: &DeleteStmt) -> Result<(), Refused> {
        let DeleteStmt { relation, using_clause, where_clause, returning_clause, with_clause } = delete;
        with_clause.iter().try_for_each(|with| self.with(with))?;
        self.target_of(relation.as_ref())?;
        self.items(using_clause)?;
        self.guarded(where_clause.as_deref())?;
        self.returning(returning_clause.as_ref())
    }

    pub(super) fn target_of(&mut self, relation: Option<&RangeVar>) -> Result<(), Refused> {
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
                let constraints = table.postgres.constraints.iter().map(|name| name.as_str().to_owned()).collect();
                self.changed = Some(Target { exposed, columns, excluded: false, constraints });
                Ok(())
            }
            _ => Err(unverified(format!("a change of table {}", crate::Quoted::new(relname)))),
        }
    }

    /// The guard comes first, and what the application asked for is in conjunction with it.
    pub(super) fn guarded(&mut self, filter: Option<&Node>) -> Result<(), Refused> {
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
            let known = |target: &Target| target.constraints.contains(conname);
            if !conname.is_empty() && !self.changed.as_ref().is_some_and(known) {
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

    pub(super) fn sets(&mut self, targets: &[Node]) -> Result<(), Refused> {
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
    pub(super) fn assigned(&mut self, target: &Node) -> Result<(), Refused> {
        self.name(self.assigned_name(target)?)?;
        let NodeEnum::ResTarget(target) = kind(Some(target))? else { return Err(unverified("an assignment")) };
        target.indirection.iter().try_for_each(|part| match kind(Some(part))? {
            // A field, which calls nothing.
            NodeEnum::String(field) => self.name(&field.sval),
            _ => self.parts(std::slice::from_ref(part)),
        })
    }

    pub(super) fn assigned_name<'n>(&self, target: &'n Node) -> Result<&'n str, Refused> {
        match kind(Some(target))? {
            NodeEnum::ResTarget(target) if target.indirection.is_empty() || target.name != TENANT => Ok(&target.name),
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
            // That of another item shows a leaf, and that of the target is refused as its row.
            if let NodeEnum::ColumnRef(column) = kind(val.as_deref())?
                && matches!(column.fields.as_slice(), [Node { node: Some(NodeEnum::AStar(_)) }])
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
