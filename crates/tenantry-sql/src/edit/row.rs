//! R-WHOLE: a row as a whole is put together from the columns of the application's own table, and has its type.

use crate::{
    Dialect, Rule,
    bind::{Bound, RowRef},
    ir::Output,
    rules::on,
    splice::Edits,
};

pub(super) fn rows(bound: &Bound<'_>, edits: &mut Edits) {
    if !on(Rule::WholeRow) {
        return;
    }
    for row in &bound.rows {
        edits.replace(row.column.span, row.spelt());
    }
    // A result is named after the column that it is.
    let returned = bound.changes.iter().filter_map(|change| change.returning).flat_map(|returning| &returning.outputs);
    for output in bound.selects.iter().flat_map(|select| &select.results).chain(returned) {
        let Output::Expr { expr, alias: None, span } = output else { continue };
        let Some(column) = expr.named_by() else { continue };
        if bound.rows.iter().any(|row| row.column.span == column.span) {
            edits.insert(span.end, format!(" AS {}", column.name.name.quoted()));
        }
    }
}

impl RowRef<'_> {
    fn spelt(&self) -> String {
        let of = self.column.name.name.quoted();
        let columns: Vec<_> = self.columns.iter().map(|column| format!("{of}.{}", column.quoted())).collect();
        let schema = Dialect::Postgres.schema();
        let row = format!("ROW({})::{}.{}", columns.join(", "), schema.quoted(), self.table.name.quoted());
        if !self.optional {
            return row;
        }
        // On the optional side of a join the row is null, and not one of nulls.
        let key = self.table.primary_key.first();
        let key = key.and_then(|key| self.table.columns.iter().position(|column| column.name == *key));
        match key.and_then(|place| self.columns.get(place)) {
            Some(key) => format!("CASE WHEN {of}.{} IS NOT NULL THEN {row} END", key.quoted()),
            None => format!("CASE WHEN {of} IS DISTINCT FROM NULL THEN {row} END"),
        }
    }
}
