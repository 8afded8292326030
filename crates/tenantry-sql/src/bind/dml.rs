//! Statements that change rows.

use std::sync::Arc;

use super::{
    scope::{Ctes, Exposed, Role, Scope, Visible},
    walk::Binder,
};
use crate::{
    Code, Name, Refused, Relation, Rule, Table,
    ir::{Delete, Insert, Returning, Set, Source, TableRef, Update, UpsertAction},
    rules::on,
};

impl<'s> Binder<'_, 's> {
    pub(super) fn insert(&mut self, insert: &'s Insert, outer: &Scope<'_, 's>) -> Result<(), Refused> {
        let none = Ctes::default();
        let ctes = none.within(insert.with.as_ref());
        self.with(insert.with.as_ref(), outer, &ctes)?;
        let table = self.target(&insert.into)?;
        match &insert.source {
            Source::Query(query) if on(Rule::WalkSource) => self.query(query, outer, &ctes)?,
            Source::Query(_) => {}
            Source::Default(_) => {}
        }
        let target = exposed(insert.into.exposed().name.clone(), &table, Role::Target);
        let excluded = exposed(Name::from("excluded"), &table, Role::Excluded);
        let scope = Scope { around: Some(outer), items: vec![target, excluded] };
        for upsert in &insert.upserts {
            let target = upsert.target.iter();
            self.exprs(
                Rule::WalkConflict,
                target.flat_map(|target| target.terms.iter().chain(&target.filter)),
                &scope,
                &ctes,
            )?;
            match &upsert.action {
                UpsertAction::Nothing => {}
                UpsertAction::Update { sets, filter } => {
                    self.sets(Rule::WalkConflict, sets, &scope, &ctes)?;
                    self.exprs(Rule::WalkConflict, filter, &scope, &ctes)?;
                }
            }
        }
        self.returning(insert.returning.as_ref(), &insert.into, &table, &scope, &ctes)
    }

    pub(super) fn update(&mut self, update: &'s Update, outer: &Scope<'_, 's>) -> Result<(), Refused> {
        let none = Ctes::default();
        let ctes = none.within(update.with.as_ref());
        self.with(update.with.as_ref(), outer, &ctes)?;
        let table = self.target(&update.table)?;
        let mut scope = Scope { around: Some(outer), items: Vec::new() };
        scope.items.push(exposed(update.table.exposed().name.clone(), &table, Role::Target));
        self.bound.is_joined = update.from.is_some();
        update.from.iter().try_for_each(|from| self.from(from, &mut scope, outer, &ctes))?;
        update.from.iter().try_for_each(|from| self.joins(from, &scope, &ctes))?;
        self.sets(Rule::WalkSet, &update.sets, &scope, &ctes)?;
        self.exprs(Rule::WalkFilter, update.filter.expr(), &scope, &ctes)?;
        self.returning(update.returning.as_ref(), &update.table, &table, &scope, &ctes)
    }

    pub(super) fn delete(&mut self, delete: &'s Delete, outer: &Scope<'_, 's>) -> Result<(), Refused> {
        let none = Ctes::default();
        let ctes = none.within(delete.with.as_ref());
        self.with(delete.with.as_ref(), outer, &ctes)?;
        let table = self.target(&delete.table)?;
        let mut scope = Scope { around: Some(outer), items: Vec::new() };
        scope.items.push(exposed(delete.table.exposed().name.clone(), &table, Role::Target));
        self.bound.is_joined = delete.using.is_some();
        delete.using.iter().try_for_each(|from| self.from(from, &mut scope, outer, &ctes))?;
        delete.using.iter().try_for_each(|from| self.joins(from, &scope, &ctes))?;
        self.exprs(Rule::WalkFilter, delete.filter.expr(), &scope, &ctes)?;
        self.returning(delete.returning.as_ref(), &delete.table, &table, &scope, &ctes)
    }

    /// A target is always a table, even when a common table expression has its name.
    fn target(&mut self, target: &'s TableRef) -> Result<Arc<Table>, Refused> {
        target.schema.iter().try_for_each(|schema| self.check_schema(schema))?;
        let name = &target.name.name;
        let refuse = |construct: &str, hint: &'static str| {
            Err(self.refuse(Code::Relation, format!("{construct} {}", name.quoted()), target.named).hint(hint))
        };
        match self.schema.relation(name) {
            Some(Relation::Tenant(table)) => {
                self.bound.target = Some(Arc::clone(table));
                Ok(Arc::clone(table))
            }
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
        self.bound.returning = Some(returning);
        if !self.dialect.has_row_ids() {
            return self.outputs(Rule::WalkReturning, &returning.outputs, all, ctes);
        }
        // Only the target's own columns are visible, also after UPDATE FROM, and by the table's name: SQLite has no alias here.
        let mut scope = Scope::default();
        scope.items.push(exposed(target.name.name.clone(), table, Role::Target));
        self.outputs(Rule::WalkReturning, &returning.outputs, &scope, ctes)
    }
}

fn exposed<'s>(name: Name, table: &Arc<Table>, role: Role<'s>) -> Exposed<'s> {
    Exposed { name: Some(name), relation: Visible::Table { table: Arc::clone(table), role } }
}
