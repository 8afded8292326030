//! R-LEAF, R-INTABLE, R-VIEW, R-HINT: what is read is read through a leaf.

use super::{Context, stored};
use crate::{
    Code, Dialect, Refused, Rule, Table,
    bind::{Bound, Meaning, Read, Role},
    ir::TableRef,
    rules::on,
    splice::Edits,
};

pub(super) fn reads(bound: &Bound<'_>, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    bound.reads.iter().try_for_each(|read| {
        let TableRef { named, .. } = *read.table;
        let rule = match read.means {
            Meaning::View(_) => Rule::View,
            _ if read.after_in => Rule::InTable,
            _ => Rule::Leaf,
        };
        if !on(rule) {
            return Ok(());
        }
        let source = source(read, bound, context)?;
        // R-SAMPLE: what is sampled is the shared table. That of all tenants has no leaf.
        match (read.table.sample, &read.means) {
            (None, _) | (Some(_), Meaning::Global(_)) => {}
            (Some(sample), Meaning::Tenant(_)) => edits.replace(sample, ""),
            (Some(sample), _) => {
                let refused = Refused::new(Code::Unknown, "TABLESAMPLE of what is no table");
                return Err(refused.at(context.text, sample));
            }
        }
        let alias = read.table.exposed().name.quoted();
        if read.after_in {
            edits.replace(named, format!("(SELECT * FROM {source} AS {alias})"));
        } else if read.table.alias.is_some() {
            edits.replace(named, source);
        } else {
            edits.replace(named, format!("{source} AS {alias}"));
        }
        if let Some(hint) = read.table.hint.as_ref().filter(|_| on(Rule::IndexHint)) {
            edits.replace(hint.span, "");
        }
        Ok(())
    })
}

/// What takes the place of a relation's name.
fn source(read: &Read<'_>, bound: &Bound<'_>, context: &Context<'_>) -> Result<String, Refused> {
    Ok(match &read.means {
        Meaning::Tenant(table) => leaf(table, read.table, bound, context),
        Meaning::Global(table) => context.tenant.physical(&table.name),
        #[cfg(feature = "postgres")]
        Meaning::Catalog(view) => view.clone(),
        Meaning::Master => format!("({})", stored::MASTER),
        Meaning::View(view) => {
            let body = (context.expand)(view)?;
            match &view.columns {
                None => format!("({body})"),
                Some(columns) => {
                    let name = view.name.quoted();
                    let columns: Vec<_> = columns.iter().map(|column| column.quoted().to_string()).collect();
                    let columns = columns.join(", ");
                    match context.tenant.dialect() {
                        Dialect::Sqlite => format!("(WITH {name}({columns}) AS ({body}) SELECT * FROM {name})"),
                        // A lock does not reach into a common table expression.
                        #[cfg(feature = "postgres")]
                        Dialect::Postgres => format!("(SELECT * FROM ({body}) AS {name}({columns}))"),
                    }
                }
            }
        }
    })
}

fn leaf(table: &Table, reference: &TableRef, bound: &Bound<'_>, context: &Context<'_>) -> String {
    let mut results: Vec<_> = table.columns.iter().map(|column| column.name.quoted().to_string()).collect();
    let shows_row_id = bound
        .row_ids
        .iter()
        .any(|row_id| row_id.is_hidden() && matches!(row_id.role, Role::Leaf(leaf) if leaf.span == reference.span));
    if shows_row_id {
        results.push(format!("\"{}\" AS {}", crate::ROW_ID, context.shown_row_id(reference)));
    }
    let hint = reference.hint.as_ref().and_then(|hint| hint.index.as_ref()).filter(|_| on(Rule::IndexHint));
    let hint = hint.map(|index| format!(" INDEXED BY {}", index.name.quoted())).unwrap_or_default();
    let sample = reference.sample.map(|sample| format!(" {}", &context.text[sample.range()])).unwrap_or_default();
    let (results, tenant) = (results.join(", "), context.tenant);
    format!("(SELECT {results} FROM {}{hint}{sample} WHERE {})", tenant.physical(&table.name), tenant.owns(&table.name))
}
