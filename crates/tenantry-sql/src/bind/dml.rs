//! Statements that change rows.

use std::sync::Arc;

use super::{
    Change, What,
    names::FOLLOW_MAX,
    scope::{Ctes, Exposed, Role, Scope, Visible},
    walk::Binder,
};
use crate::{
    Code, Name, Refused, Relation, Rule, Table,
    ir::{
        ArmAction, ArmValues, Delete, From, Insert, Merge, Returning, Set, Source, TableRef, Update, Upsert,
        UpsertAction,
    },
    rules::on,
};

impl<'s> Binder<'_, 's> {
    pub(super) fn insert(
        &mut self,
        insert: &'s Insert,
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let ctes = ctes.within(insert.with.as_ref());
        self.with(insert.with.as_ref(), outer, &ctes)?;
        let table = self.target(&insert.into)?;
        let mut width = None;
        if let Source::Query(query) = &insert.source {
            width = self.names_of_query(query, ctes, FOLLOW_MAX).map(|names| names.len());
            if on(Rule::WalkSource) {
                self.query(query, outer, &ctes)?;
            }
        }
        let what = What::Insert(insert);
        self.change(Change { width, ..change(&table, what, insert.returning.as_ref(), None) });
        let target = exposed(insert.into.exposed().name.clone(), &table, Role::Target);
        let excluded = exposed(Name::from("excluded"), &table, Role::Excluded);
        let scope = Scope { around: Some(outer), items: vec![target, excluded] };
        insert.upserts.iter().try_for_each(|upsert| self.upsert(upsert, &table, &scope, &ctes))?;
        self.returning(insert.returning.as_ref(), &insert.into, &table, &scope, &ctes)
    }

    fn upsert(
        &mut self,
        upsert: &'s Upsert,
        table: &Table,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        if let Some(constraint) = upsert.target.as_ref().and_then(|target| target.constraint.as_ref())
            && !table.postgres.constraints.contains(&constraint.name)
        {
            let construct = format!("constraint {}", constraint.name.quoted());
            return Err(self.refuse(Code::Relation, construct, constraint.span).hint("name the columns"));
        }
        let target = upsert.target.iter();
        let terms = target.flat_map(|target| target.terms.iter().chain(&target.filter));
        self.exprs(Rule::WalkConflict, terms, scope, ctes)?;
        match &upsert.action {
            UpsertAction::Nothing => Ok(()),
            UpsertAction::Update { sets, filter } => {
                self.sets(Rule::WalkConflict, sets, scope, ctes)?;
                self.exprs(Rule::WalkConflict, filter, scope, ctes)
            }
        }
    }

    pub(super) fn update(
        &mut self,
        update: &'s Update,
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let ctes = ctes.within(update.with.as_ref());
        self.with(update.with.as_ref(), outer, &ctes)?;
        let table = self.target(&update.table)?;
        self.change(change(&table, What::Update(update), update.returning.as_ref(), update.from.as_ref()));
        let scope = self.joined(&update.table, &table, update.from.as_ref(), outer, &ctes)?;
        self.sets(Rule::WalkSet, &update.sets, &scope, &ctes)?;
        self.exprs(Rule::WalkFilter, update.filter.expr(), &scope, &ctes)?;
        self.returning(update.returning.as_ref(), &update.table, &table, &scope, &ctes)
    }

    pub(super) fn delete(
        &mut self,
        delete: &'s Delete,
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let ctes = ctes.within(delete.with.as_ref());
        self.with(delete.with.as_ref(), outer, &ctes)?;
        let table = self.target(&delete.table)?;
        self.change(change(&table, What::Delete(delete), delete.returning.as_ref(), delete.using.as_ref()));
        let scope = self.joined(&delete.table, &table, delete.using.as_ref(), outer, &ctes)?;
        self.exprs(Rule::WalkFilter, delete.filter.expr(), &scope, &ctes)?;
        self.returning(delete.returning.as_ref(), &delete.table, &table, &scope, &ctes)
    }

    pub(super) fn merge(
        &mut self,
        merge: &'s Merge,
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let ctes = ctes.within(merge.with.as_ref());
        self.with(merge.with.as_ref(), outer, &ctes)?;
        let table = self.target(&merge.table)?;
        self.change(change(&table, What::Merge(merge), None, Some(&merge.source)));
        let scope = self.joined(&merge.table, &table, Some(&merge.source), outer, &ctes)?;
        self.exprs(Rule::WalkOn, [&merge.on], &scope, &ctes)?;
        for arm in &merge.arms {
            self.exprs(Rule::WalkFilter, arm.filter.expr(), &scope, &ctes)?;
            match &arm.action {
                ArmAction::Plain => {}
                ArmAction::Update(sets) => self.sets(Rule::WalkSet, sets, &scope, &ctes)?,
                ArmAction::Insert { values: ArmValues::Default(_), .. } => {}
                ArmAction::Insert { values: ArmValues::Row(row), .. } => {
                    self.exprs(Rule::WalkSource, &row.values, &scope, &ctes)?;
                }
            }
        }
        Ok(())
    }

    /// `TRUNCATE`, which does to each table what `DELETE` does, if neither triggers nor foreign keys make a difference.
    pub(super) fn truncate(&mut self, named: &'s [TableRef]) -> Result<(), Refused> {
        for named in named {
            let table = self.target(named)?;
            if table.postgres.row_triggers {
                let construct = format!("table {}, whose triggers DELETE would fire", named.name.name.quoted());
                return Err(self.refuse(Code::Truncate, construct, named.named));
            }
            if !self.bound.emptied.iter().any(|(_, emptied)| emptied.name == table.name) {
                self.bound.emptied.push((named, table));
            }
        }
        let emptied = |name: &Name| self.bound.emptied.iter().find(|(_, table)| table.name == *name);
        for relation in self.schema.relations() {
            let Some(table) = relation.tenant().filter(|table| emptied(&table.name).is_none()) else { continue };
            if let Some((named, _)) = table.foreign_keys.iter().find_map(|key| emptied(&key.parent)) {
                let construct = format!("table {}, which {} refers to", named.name.name.quoted(), table.name.quoted());
                let refused = self.refuse(Code::Truncate, construct, named.named);
                return Err(refused.hint("name both tables, or use DELETE"));
            }
        }
        Ok(())
    }

    /// The table whose rows are changed, and what it is joined with.
    fn joined<'e>(
        &mut self,
        target: &'s TableRef,
        table: &Arc<Table>,
        others: Option<&'s From>,
        outer: &'e Scope<'e, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<Scope<'e, 's>, Refused> {
        let mut scope = Scope { around: Some(outer), items: Vec::new() };
        scope.items.push(exposed(target.exposed().name.clone(), table, Role::Target));
        others.iter().try_for_each(|from| self.from(from, &mut scope, outer, ctes))?;
        others.iter().try_for_each(|from| self.joins(from, &scope, ctes))?;
        Ok(scope)
    }

    fn change(&mut self, change: Change<'s>) {
        self.bound.changes.push(change);
    }

    /// A target is always a table, even when a common table expression has its name.
    fn target(&self, target: &'s TableRef) -> Result<Arc<Table>, Refused> {
        target.schema.iter().try_for_each(|schema| self.check_schema(schema))?;
        let name = &target.name.name;
        let refuse = |construct: &str, hint: &'static str| {
            Err(self.refuse(Code::Relation, format!("{construct} {}", name.quoted()), target.named).hint(hint))
        };
        match self.schema.relation(name) {
            Some(Relation::Tenant(table)) => Ok(Arc::clone(table)),
            Some(Relation::Global(_)) => refuse("global table", "all tenants read it and none may change it"),
            Some(Relation::View(_)) => refuse("view", "change the rows of its tables"),
            None => refuse("table", Code::Relation.hint()),
        }
    }

    fn sets(&mut self, rule: Rule, sets: &'s [Set], scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Result<(), Refused> {
        self.exprs(rule, sets.iter().map(|set| &set.value), scope, ctes)
    }

    fn returning(
        &mut self,
        returning: Option<&'s Returning>,
        target: &'s TableRef,
        table: &Arc<Table>,
        all: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let Some(returning) = returning else { return Ok(()) };
        if !self.dialect.has_row_ids() {
            return self.outputs(Rule::WalkReturning, &returning.outputs, all, ctes);
        }
        // Only the target's own columns are visible, also after UPDATE FROM, and by the table's name: SQLite has no alias here.
        let mut scope = Scope::default();
        scope.items.push(exposed(target.name.name.clone(), table, Role::Target));
        self.outputs(Rule::WalkReturning, &returning.outputs, &scope, ctes)
    }
}

fn change<'s>(
    table: &Arc<Table>,
    what: What<'s>,
    returning: Option<&'s Returning>,
    joined: Option<&'s From>,
) -> Change<'s> {
    Change { table: Arc::clone(table), what, returning, joined, width: None }
}

fn exposed<'s>(name: Name, table: &Arc<Table>, role: Role<'s>) -> Exposed<'s> {
    Exposed::new(Some(name), Visible::Table { table: Arc::clone(table), role })
}
