//! R-QUALCOL and R-SYSCOL: columns whose names a leaf would change.

use super::Context;
use crate::{
    RowId, Rule,
    bind::{Bound, Role, RowIdRef},
    rules::on,
    splice::Edits,
};

/// `main.t.c` becomes `t.c`.
pub(super) fn qualified(bound: &Bound<'_>, edits: &mut Edits) {
    if !on(Rule::QualifiedColumn) {
        return;
    }
    for column in &bound.qualified {
        if let (Some(schema), Some(table)) = (&column.schema, &column.table) {
            edits.replace(crate::Span::new(schema.span.start, table.span.start), "");
        }
    }
}

/// A row id becomes the column that holds it.
pub(super) fn row_ids(bound: &Bound<'_>, context: &Context<'_>, edits: &mut Edits) {
    if !on(Rule::RowId) {
        return;
    }
    for row_id in &bound.row_ids {
        let of = row_id.of.quoted();
        let column = match (&row_id.table.row_id, row_id.role) {
            (_, Role::Global(_)) | (RowId::None, _) => continue,
            (RowId::Column(key), _) => key.quoted().to_string(),
            (RowId::Hidden, Role::Leaf(leaf)) => context.shown_row_id(leaf),
            (RowId::Hidden, Role::Target | Role::Excluded | Role::Row) => format!("\"{}\"", crate::ROW_ID),
        };
        edits.replace(row_id.column.span, format!("{of}.{column}"));
    }
}

/// `*` is spelt out where a leaf shows more.
pub(super) fn stars(bound: &Bound<'_>, edits: &mut Edits) {
    for (span, columns) in &bound.stars {
        let columns: Vec<_> =
            columns.iter().map(|(table, column)| format!("{}.{}", table.quoted(), column.quoted())).collect();
        edits.replace(*span, columns.join(", "));
    }
}

impl RowIdRef<'_> {
    /// Whether the row id is kept in a column that the application does not see.
    pub(super) fn is_hidden(&self) -> bool {
        self.table.row_id == RowId::Hidden
    }
}
