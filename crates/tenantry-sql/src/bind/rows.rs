//! R-WHOLE: rows as a whole, which only PostgreSQL has.
//!
//! A name alone is first of all a column, at each level from the inside out, and otherwise the row of what has the name. A
//! leaf's row is a record without the table's type; the row of a target has the tenant in it.

use std::sync::Arc;

use super::{
    scope::{Ctes, Exposed, Role, Scope, Visible},
    walk::Binder,
};
use crate::{
    Code, Ident, Name, Refused, Table,
    ir::{ColumnRef, TableRef},
};

/// A row as a whole, which is put together from its columns.
#[derive(Debug)]
pub(crate) struct RowRef<'s> {
    pub(crate) column: &'s ColumnRef,
    pub(crate) table: Arc<Table>,
    /// The columns as they are called where the row is named.
    pub(crate) columns: Vec<Name>,
    /// Whether it can be null as a whole, on the optional side of a join.
    pub(crate) optional: bool,
}

/// What a name alone means.
enum Bare<'e, 's> {
    Column,
    /// The row of this; false if it could be a column after all.
    Row(&'e Exposed<'s>, bool),
    Nothing,
}

impl<'s> Binder<'_, 's> {
    /// A name alone.
    pub(super) fn bare(
        &mut self,
        column: &'s ColumnRef,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        self.check_version(&column.name, true, scope, ctes)?;
        let (item, certain) = match self.bare_meaning(&column.name.name, scope, ctes) {
            Bare::Row(item, certain) => (item, certain),
            Bare::Column | Bare::Nothing => return Ok(()),
        };
        let Visible::Table { table, role } = &item.relation else { return Ok(()) };
        let optional = matches!(role, Role::Leaf(_) | Role::Global(_));
        if !certain {
            // The row of a leaf shows nothing that it should not.
            return if optional && !renames(*role) { Ok(()) } else { Err(self.refuse_row(column)) };
        }
        let columns = self.visible_columns(item, ctes).unwrap_or_default().to_vec();
        self.bound.rows.push(RowRef { column, table: Arc::clone(table), columns, optional });
        Ok(())
    }

    fn refuse_row(&self, column: &ColumnRef) -> Refused {
        let refused = self.refuse(Code::WholeRow, format!("row {}", column.name.name.quoted()), column.span);
        refused.hint("name the columns, each with its table")
    }

    /// `t.c`; `t.f` means `f(t)` where `t` has no such column, and the row of a target has the tenant in it.
    pub(super) fn of_row(
        &self,
        column: &ColumnRef,
        of: &Ident,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        self.check_version(of, false, scope, ctes)?;
        let Some(Exposed { relation: Visible::Table { table, role }, .. }) = found(&of.name, scope) else {
            return Ok(());
        };
        let target = matches!(role, Role::Target | Role::Excluded);
        if !target || table.column(&column.name.name).is_some() {
            return Ok(());
        }
        let construct = format!("{}.{}", of.name.quoted(), column.name.name.quoted());
        Err(self.refuse(Code::WholeRow, construct, column.span))
    }

    /// `t.*` where it means the row.
    pub(super) fn star_row(&self, of: &Ident, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Result<(), Refused> {
        self.check_version(of, false, scope, ctes)?;
        match found(&of.name, scope).map(|item| &item.relation) {
            Some(Visible::Table { role, .. }) if matches!(role, Role::Target | Role::Excluded) || renames(*role) => {
                let refused = self.refuse(Code::WholeRow, format!("row {}", of.name.quoted()), of.span);
                Err(refused.hint("name the columns, each with its table"))
            }
            _ => Ok(()),
        }
    }

    /// `(x).f`, which means `f(x)` where `x` has no such field.
    pub(super) fn field(
        &self,
        of: Option<&Ident>,
        field: &Ident,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        of.map_or(Ok(()), |of| self.check_version(of, true, scope, ctes))?;
        let meaning = of.map_or(Bare::Nothing, |of| self.bare_meaning(&of.name, scope, ctes));
        let known = match meaning {
            Bare::Row(item @ Exposed { relation: Visible::Table { role, .. }, .. }, true) => {
                let columns = self.visible_columns(item, ctes);
                !renames(*role) && columns.is_some_and(|columns| columns.contains(&field.name))
            }
            Bare::Row(..) => false,
            Bare::Column | Bare::Nothing => {
                self.schema.has_field(&field.name) && !self.dialect.is_no_field(&field.name)
            }
        };
        if known {
            return Ok(());
        }
        let refused = self.refuse(Code::Unknown, format!("field {}", field.name.quoted()), field.span);
        Err(refused.hint("name the column instead"))
    }

    fn bare_meaning<'e>(&self, name: &Name, scope: &'e Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Bare<'e, 's> {
        let Some(row) = found(name, scope) else { return Bare::Nothing };
        let mut certain = true;
        let mut level = Some(scope);
        while let Some(scope) = level {
            for item in &scope.items {
                match self.visible_columns(item, ctes) {
                    Some(columns) if columns.contains(name) => return Bare::Column,
                    Some(_) => {}
                    None => certain = false,
                }
            }
            level = scope.around;
        }
        Bare::Row(row, certain)
    }

    /// The columns of what is visible, as they are called there; nothing where they cannot be told.
    pub(super) fn visible_columns<'e>(&self, item: &'e Exposed<'s>, ctes: &Ctes<'_, 's>) -> Option<&'e [Name]> {
        let columns = item.columns.get_or_init(|| match &item.relation {
            Visible::Table { table, role } => {
                let names = table.columns.iter().map(|column| column.name.clone()).collect();
                Some(match role {
                    Role::Leaf(named) | Role::Global(named) => renamed(names, &named.columns),
                    Role::Target | Role::Excluded | Role::Row => names,
                })
            }
            Visible::Catalog => None,
            Visible::Other { item } => {
                self.item_names(item, *ctes).filter(|names| names.iter().all(|name| !name.as_str().is_empty()))
            }
        });
        columns.as_deref()
    }

    /// PostgreSQL 18 calls the old and the new row of a change so, and both have the tenant in them.
    pub(super) fn check_version(
        &self,
        name: &Ident,
        alone: bool,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let version = !self.bound.changes.is_empty() && ["old", "new"].contains(&name.name.as_str());
        if !version || found(&name.name, scope).is_some() || alone && self.is_column(&name.name, scope, ctes) {
            return Ok(());
        }
        let refused = self.refuse(Code::WholeRow, format!("row {}", name.name.quoted()), name.span);
        Err(refused.hint("leave OLD and NEW out, and name the columns"))
    }

    fn is_column(&self, name: &Name, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> bool {
        let has = |item| self.visible_columns(item, ctes).is_some_and(|columns| columns.contains(name));
        let mut level = Some(scope);
        while let Some(scope) = level {
            if scope.items.iter().any(has) {
                return true;
            }
            level = scope.around;
        }
        false
    }
}

/// What has a name, at the innermost level that has it.
fn found<'e, 's>(name: &Name, scope: &'e Scope<'_, 's>) -> Option<&'e Exposed<'s>> {
    let mut level = Some(scope);
    while let Some(scope) = level {
        let item = scope.items.iter().find(|item| item.name.as_ref() == Some(name));
        if item.is_some() {
            return item;
        }
        level = scope.around;
    }
    None
}

fn renames(role: Role<'_>) -> bool {
    match role {
        Role::Leaf(TableRef { columns, .. }) | Role::Global(TableRef { columns, .. }) => !columns.is_empty(),
        Role::Target | Role::Excluded | Role::Row => false,
    }
}

/// Names of columns, of which an alias gives the first ones others.
pub(super) fn renamed(mut names: Vec<Name>, columns: &[Ident]) -> Vec<Name> {
    names.iter_mut().zip(columns).for_each(|(name, column)| *name = column.name.clone());
    names
}
