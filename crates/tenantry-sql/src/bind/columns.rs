//! Columns: schema-qualified ones (R-QUALCOL) and row ids (R-SYSCOL).
//!
//! Ordinary columns need no rule: a leaf exposes the same names as the table. Row ids are no columns, so a leaf would not
//! expose them, and a name such as `rowid` would silently mean the row id of a table further out. That is why each is
//! resolved here, as SQLite does it: at each level from the inside out, columns of that name come first, and then the row
//! id, if just one relation has one.

use std::sync::Arc;

use super::{
    scope::{Ctes, Exposed, Role, Scope, Visible},
    walk::Binder,
};
use crate::{Code, Name, Refused, RowId, Table, ir::ColumnRef};

/// A reference to a table's row id.
#[derive(Debug)]
pub(crate) struct RowIdRef<'s> {
    pub(crate) column: &'s ColumnRef,
    /// The name that qualifies the table's columns.
    pub(crate) of: Name,
    pub(crate) table: Arc<Table>,
    pub(crate) role: Role<'s>,
}

/// The names that SQLite has for the row id.
pub(crate) fn is_row_id(name: &Name) -> bool {
    ["rowid", "oid", "_rowid_"].iter().any(|row_id| name.is(row_id))
}

impl<'s> Binder<'_, 's> {
    pub(super) fn column(
        &mut self,
        column: &'s ColumnRef,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        if let Some(schema) = &column.schema {
            if !self.dialect.is_catalog_schema(&schema.name) {
                self.check_schema(schema)?;
            }
            self.qualified(column, scope)?;
        }
        if !self.dialect.has_row_ids() {
            return match &column.table {
                Some(of) => self.of_row(column, of, scope, ctes),
                None => self.bare(column, scope, ctes),
            };
        }
        if is_row_id(&column.name.name) { self.row_id(column, scope, ctes) } else { Ok(()) }
    }

    /// `main.t.c` becomes `t.c`, which must not mean anything else.
    fn qualified(&mut self, column: &'s ColumnRef, scope: &Scope<'_, 's>) -> Result<(), Refused> {
        let Some(table) = &column.table else { return Ok(()) };
        let mut level = Some(scope);
        while let Some(scope) = level {
            let mut items = scope.items.iter().filter(|item| item.name.as_ref() == Some(&table.name));
            match (items.next(), items.next()) {
                (None, _) => level = scope.around,
                (Some(item), None) if item.is_named() => break,
                _ => return Err(self.refuse(Code::Ambiguous, format!("table {}", table.name.quoted()), column.span)),
            }
        }
        self.bound.qualified.push(column);
        Ok(())
    }

    fn row_id(&mut self, column: &'s ColumnRef, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Result<(), Refused> {
        let mut level = Some(scope);
        let mut inner: Vec<&Name> = Vec::new();
        while let Some(scope) = level {
            let qualifier = column.table.as_ref().map(|table| &table.name);
            let items = scope.items.iter().filter(|item| match qualifier {
                None => !item.is_row(),
                Some(_) => item.name.as_ref() == qualifier,
            });
            let mut found = None;
            for item in items {
                match &item.relation {
                    Visible::Table { table, role } => {
                        if table.column(&column.name.name).is_some() {
                            return Ok(());
                        }
                        // The reference will be qualified, which must not lead to an item further in.
                        let hidden = item.name.as_ref().is_some_and(|name| inner.contains(&name));
                        if table.row_id != RowId::None && (hidden || found.replace((item, table, *role)).is_some()) {
                            return Err(self.refuse_row_id(column));
                        }
                    }
                    Visible::Catalog => {}
                    Visible::Other { item } => match self.item_names(item, *ctes) {
                        Some(names) if names.contains(&column.name.name) => return Ok(()),
                        Some(_) => {}
                        None => return Err(self.refuse_row_id(column)),
                    },
                }
            }
            if let Some((Exposed { name: Some(of), .. }, table, role)) = found {
                self.bound.row_ids.push(RowIdRef { column, of: of.clone(), table: Arc::clone(table), role });
                return Ok(());
            }
            inner.extend(scope.items.iter().filter_map(|item| item.name.as_ref()));
            level = scope.around;
        }
        // It means nothing here, and the database says so.
        Ok(())
    }

    fn refuse_row_id(&self, column: &ColumnRef) -> Refused {
        self.refuse(Code::SystemColumn, column.name.name.to_string(), column.span)
            .hint("qualify it with the table's alias, or use the table's primary key")
    }
}
