//! The facts about a table that its declaration says.

use super::{
    definition::{Acts, ColumnDef, ColumnRuleKind, ConstraintKind, CreateTable, Reference},
    words::Words,
};
use crate::{Action, Code, Column, ForeignKey, Ident, Name, PostgresFacts, Refused, RowId, Table};

/// A primary key as it is declared.
#[derive(Debug)]
pub(super) struct Primary<'d> {
    columns: Vec<&'d Name>,
    /// The column that is the row id.
    pub(super) row_id: Option<&'d ColumnDef>,
    auto_increment: bool,
}

/// A foreign key as it is declared.
#[derive(Debug)]
pub(super) struct Foreign<'d> {
    pub(super) name: Option<&'d Ident>,
    columns: Vec<&'d Ident>,
    pub(super) reference: &'d Reference,
    deferred: bool,
    of_column: bool,
}

impl CreateTable {
    /// The table that it declares.
    pub(crate) fn facts(&self, number: i64, words: &Words<'_>) -> Result<Table, Refused> {
        let primary = self.primary();
        let row_id = match primary.as_ref().and_then(|primary| primary.row_id) {
            _ if self.without_row_id => RowId::None,
            Some(column) => RowId::Column(column.name.name.clone()),
            None => RowId::Hidden,
        };
        let columns = self.columns.iter().map(|column| {
            let generated = column.rules.iter().any(|rule| matches!(rule.kind, ColumnRuleKind::Generated(_)));
            Column { name: column.name.name.clone(), generated }
        });
        let foreign_keys = self.foreign_keys().into_iter().map(|key| self.foreign_key(&key, words));
        Ok(Table {
            name: self.table.name.name.clone(),
            number,
            columns: columns.collect(),
            row_id,
            auto_increment: primary.as_ref().is_some_and(|primary| primary.auto_increment),
            primary_key: primary.iter().flat_map(|primary| &primary.columns).map(|name| (*name).clone()).collect(),
            foreign_keys: foreign_keys.collect::<Result<_, _>>()?,
            postgres: PostgresFacts::default(),
        })
    }

    fn column(&self, name: &Name) -> Option<&ColumnDef> {
        self.columns.iter().find(|column| column.name.name == *name)
    }

    /// SQLite's rule for the row id: a key of one column of the type `INTEGER`. `DESC` matters in the definition of the
    /// column only.
    pub(super) fn primary(&self) -> Option<Primary<'_>> {
        let is_integer = |column: &ColumnDef| column.declared.is_some_and(|declared| declared.is_integer);
        for column in &self.columns {
            for rule in &column.rules {
                if let ColumnRuleKind::PrimaryKey { descending, auto_increment, .. } = rule.kind {
                    let row_id = (!descending && is_integer(column)).then_some(column);
                    return Some(Primary { columns: vec![&column.name.name], row_id, auto_increment });
                }
            }
        }
        self.constraints.iter().find_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { terms, auto_increment, .. } => {
                let columns: Vec<_> = terms.iter().filter_map(|term| term.column.as_ref()).collect();
                let row_id = match terms.as_slice() {
                    [term] => term.column.as_ref().and_then(|name| self.column(name)).filter(|of| is_integer(of)),
                    _ => None,
                };
                Some(Primary { columns, row_id, auto_increment: *auto_increment })
            }
            ConstraintKind::Unique { .. } | ConstraintKind::ForeignKey { .. } | ConstraintKind::Check(_) => None,
        })
    }

    /// The foreign keys of the columns and of the table. `DEFERRABLE` belongs to the last one before it, even to that of
    /// another column.
    pub(super) fn foreign_keys(&self) -> Vec<Foreign<'_>> {
        let mut keys: Vec<Foreign<'_>> = Vec::new();
        for column in &self.columns {
            for rule in &column.rules {
                match &rule.kind {
                    ColumnRuleKind::References(reference) => keys.push(Foreign {
                        name: rule.name.as_ref(),
                        columns: vec![&column.name],
                        reference,
                        deferred: reference.deferred,
                        of_column: true,
                    }),
                    ColumnRuleKind::Deferred(deferred) => keys.iter_mut().next_back().into_iter().for_each(|key| {
                        key.deferred = *deferred;
                    }),
                    _ => {}
                }
            }
        }
        for constraint in &self.constraints {
            if let ConstraintKind::ForeignKey { columns, reference } = &constraint.kind {
                let (name, columns) = (constraint.name.as_ref(), columns.iter().collect());
                let deferred = reference.deferred;
                keys.push(Foreign { name, columns, reference, deferred, of_column: false });
            }
        }
        keys
    }

    fn foreign_key(&self, key: &Foreign<'_>, words: &Words<'_>) -> Result<ForeignKey, Refused> {
        let action = |acts| {
            Ok(match acts {
                Acts::Nothing => Action::Nothing,
                Acts::Restrict => Action::Restrict,
                Acts::Cascade => Action::Cascade,
                Acts::SetNull => Action::SetNull,
                Acts::SetDefault => {
                    let defaults = key.columns.iter().map(|column| self.default(column, words));
                    Action::SetDefault(defaults.collect::<Result<_, _>>()?)
                }
            })
        };
        Ok(ForeignKey {
            columns: key.columns.iter().map(|column| column.name.clone()).collect(),
            parent: key.reference.parent.name.clone(),
            parent_columns: key.reference.columns.iter().flatten().map(|column| column.name.clone()).collect(),
            on_delete: action(key.reference.on_delete)?,
            on_update: action(key.reference.on_update)?,
            deferred: key.deferred,
            of_column: key.of_column,
        })
    }

    /// The default of a column, as an expression that means the same in an `UPDATE`.
    fn default(&self, column: &Ident, words: &Words<'_>) -> Result<String, Refused> {
        let rules = self.column(&column.name).into_iter().flat_map(|column| &column.rules);
        let default = rules.rev().find_map(|rule| match &rule.kind {
            ColumnRuleKind::Default(default) => Some(default),
            _ => None,
        });
        let Some(default) = default else { return Ok("NULL".to_owned()) };
        match &default.word {
            Some(word) if word.is("true") || word.is("false") => Ok(word.to_string()),
            Some(word) => Ok(format!("'{}'", word.as_str().replace('\'', "''"))),
            None if default.expr.sites.iter().any(|site| matches!(site, crate::ir::Site::Column(_))) => {
                let construct = format!("SET DEFAULT of column {}", column.name.quoted());
                let refused = Refused::new(Code::Constraint, construct).at(words.text, column.span);
                Err(refused.hint("write the default as a literal"))
            }
            None => Ok(words.at(default.expr.span)),
        }
    }
}
