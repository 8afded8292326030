//! `ALTER TABLE`: the same on the shared table, and by hand what SQLite cannot alter there.

use super::{
    Change, ChangeKind, Conversion, Step,
    definition::{Alter, AlterKind, ColumnDef, ColumnRuleKind, CreateTable},
    expression,
    key::{self, Parent},
    stored::Rewrite,
    table::{column_expressions, kept},
    words::Words,
};
use crate::{Code, ForeignKey, Ident, Name, Refused, Relation, Span, Table};

pub(super) fn alter(
    alter: Alter,
    span: Span,
    words: &Words<'_>,
    conversion: &Conversion<'_>,
) -> Result<Change, Refused> {
    conversion.in_main(&alter.table, words.text)?;
    let name = &alter.table.name.name;
    let (table, is_global) = match conversion.schema.relation(name) {
        Some(Relation::Tenant(table)) => (table, false),
        Some(Relation::Global(table)) => (table, true),
        Some(Relation::View(_)) | None => {
            return Err(
                Refused::new(Code::Relation, format!("table {}", name.quoted())).at(words.text, alter.table.named)
            );
        }
    };
    let as_written = || Step::Run(words.at(span));
    let (of, quoted) = (table.name.clone(), table.name.quoted());
    match alter.kind {
        AlterKind::RenameTable(to) => {
            check_belongs(&to, is_global, words, conversion)?;
            let mut steps = vec![Step::Run(format!("ALTER TABLE \"main\".{quoted} RENAME TO {}", to.name.quoted()))];
            if !is_global {
                let renamed = Table { name: to.name.clone(), ..Table::clone(table) };
                steps.extend(key::create_triggers_on(&renamed, conversion)?);
            }
            Ok(Change::new(ChangeKind::RenameTable { from: of, to: to.name }, steps))
        }
        AlterKind::RenameColumn { from, to } => {
            let (old, new) = (from.name.quoted(), to.name.quoted());
            let statement = format!("ALTER TABLE \"main\".{quoted} RENAME COLUMN {old} TO {new}");
            Ok(Change::run(
                ChangeKind::RenameColumn { table: of, from: from.name.clone(), to: to.name.clone() },
                statement,
            ))
        }
        AlterKind::DropColumn(column) => {
            let steps = if is_global { vec![as_written()] } else { drop_column(table, &column.name, conversion)? };
            Ok(Change::new(ChangeKind::DropColumn { table: of, column: column.name }, steps))
        }
        AlterKind::AddColumn(column) => {
            let has = |name: &Name| is_global || *name == column.name.name || table.column(name).is_some();
            column_expressions(&column).try_for_each(|expr| expression::check(expr, words.text, has))?;
            let kind = ChangeKind::AddColumn { table: of, column: column.name.name.clone() };
            let added = Added::new(alter.table, column);
            let steps = if is_global {
                added.check_global(table, words, conversion)?;
                vec![as_written()]
            } else {
                added.steps(table, words, conversion)?
            };
            Ok(Change::new(kind, steps))
        }
    }
}

/// A table stays with whom it belongs to.
fn check_belongs(to: &Ident, is_global: bool, words: &Words<'_>, conversion: &Conversion<'_>) -> Result<(), Refused> {
    if conversion.globals.contains(&to.name) == is_global {
        return Ok(());
    }
    let refused = Refused::new(Code::Ddl, format!("renaming to {}", to.name.quoted())).at(words.text, to.span);
    Err(refused.hint("name both tables in the configuration as tables that all tenants read, or none"))
}

/// `DROP COLUMN`. A foreign key that was declared with the column goes with it.
fn drop_column(table: &Table, column: &Name, conversion: &Conversion<'_>) -> Result<Vec<Step>, Refused> {
    let drop = format!("ALTER TABLE \"main\".{} DROP COLUMN {}", table.name.quoted(), column.quoted());
    let is_of_column = |key: &ForeignKey| key.of_column && key.columns.contains(column);
    if !table.foreign_keys.iter().any(is_of_column) {
        return Ok(vec![Step::Run(drop)]);
    }
    let mut left = table.clone();
    left.foreign_keys.retain(|key| !is_of_column(key));
    left.columns.retain(|left| left.name != *column);
    let mut steps: Vec<_> = key::drop_triggers(table).collect();
    steps.push(Step::Rewrite(Rewrite::drop_foreign_keys(table.name.clone(), column.clone())));
    steps.push(Step::Run(drop));
    steps.extend(key::create_triggers(&left, conversion)?);
    Ok(steps)
}

/// `ADD COLUMN`: the definition as if it were that of a table with this column alone.
struct Added(CreateTable);

impl Added {
    fn new(table: crate::ir::TableRef, column: ColumnDef) -> Self {
        let (columns, constraints) = (vec![column], Vec::new());
        Self(CreateTable { table, if_not_exists: false, columns, constraints, strict: false, without_row_id: false })
    }

    /// The table as it is with the column. Its foreign keys stand before those of the table.
    fn with_column(&self, table: &Table, words: &Words<'_>) -> Result<(Table, Vec<ForeignKey>), Refused> {
        let added = self.0.facts(table.number, words)?;
        let mut with = table.clone();
        with.columns.extend(added.columns);
        let at = with.foreign_keys.iter().filter(|key| key.of_column).count();
        with.foreign_keys.splice(at..at, added.foreign_keys.iter().cloned());
        Ok((with, added.foreign_keys))
    }

    fn check_global(&self, table: &Table, words: &Words<'_>, conversion: &Conversion<'_>) -> Result<(), Refused> {
        let (_, keys) = self.with_column(table, words)?;
        keys.iter().try_for_each(|key| key::check_global(key, table, conversion))
    }

    fn steps(&self, table: &Table, words: &Words<'_>, conversion: &Conversion<'_>) -> Result<Vec<Step>, Refused> {
        let (with, keys) = self.with_column(table, words)?;
        let mut steps: Vec<_> = self.0.columns.iter().map(|column| add(table, column, words)).collect();
        if keys.is_empty() {
            return Ok(steps);
        }
        for (declared, key) in self.0.foreign_keys().iter().zip(&keys) {
            let at = key::at(words.text, declared.reference.parent.span);
            let parent: Parent = key::parent(key, &with, conversion).map_err(at)?;
            let constraint = key::constraint(declared.name.map(|name| &name.name), key, &parent);
            steps.push(Step::Rewrite(Rewrite::add_constraint(table.name.clone(), constraint)));
        }
        steps.extend(key::drop_triggers(table));
        steps.extend(key::create_triggers(&with, conversion)?);
        Ok(steps)
    }
}

/// The column without its foreign keys. SQLite adds no column that is a key, and says so.
fn add(table: &Table, column: &ColumnDef, words: &Words<'_>) -> Step {
    let declared = words.after_space(column.declared.map(|declared| declared.span));
    let rules: String = column
        .rules
        .iter()
        .filter_map(|rule| match rule.kind {
            ColumnRuleKind::PrimaryKey { .. } | ColumnRuleKind::Unique { .. } => {
                Some(words.after_space(Some(rule.span)))
            }
            _ => kept(rule, words),
        })
        .collect();
    let (table, name) = (table.name.quoted(), column.name.name.quoted());
    Step::Run(format!("ALTER TABLE \"main\".{table} ADD COLUMN {name}{declared}{rules}"))
}
