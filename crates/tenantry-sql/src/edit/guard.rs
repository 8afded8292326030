//! Lemma 3: what is changed is guarded, and the guard comes first.

use super::Context;
use crate::{
    Code, Refused, Rule, Table,
    bind::{Change, is_row_id},
    ir::{Delete, Set, Shape, TableRef, Update, Where},
    rules::on,
    splice::Edits,
};

pub(super) fn update(
    update: &Update,
    change: &Change<'_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Refused> {
    target(&update.table, context, edits);
    // The last value may end where the guard begins.
    sets(&update.sets, &change.table, context, edits)?;
    if on(Rule::GuardUpdate) {
        guard(&update.filter, &update.table, context, edits);
    }
    Ok(())
}

pub(super) fn delete(delete: &Delete, context: &Context<'_>, edits: &mut Edits) {
    target(&delete.table, context, edits);
    if on(Rule::GuardDelete) {
        guard(&delete.filter, &delete.table, context, edits);
    }
}

/// The table's name as it is in the shared schema. `NOT INDEXED` would visit all tenants' rows, and goes.
pub(super) fn target(target: &TableRef, context: &Context<'_>, edits: &mut Edits) {
    edits.replace(target.named, context.tenant.physical(&target.name.name));
    match &target.hint {
        Some(hint) if hint.index.is_none() => edits.replace(hint.span, ""),
        Some(_) | None => {}
    }
}

fn guard(filter: &Where, target: &TableRef, context: &Context<'_>, edits: &mut Edits) {
    let guard = context.tenant.owns(&target.exposed().name);
    match filter {
        Where::Absent(at) => edits.insert(*at, format!(" WHERE {guard}")),
        Where::Given(filter) if on(Rule::GuardParentheses) => {
            edits.wrap(filter.span, format!("{guard} AND ("), ")");
        }
        Where::Given(filter) => edits.insert(filter.span.start, format!("{guard} AND ")),
    }
}

/// A row id is assigned as an `INTEGER PRIMARY KEY` is: it has to be a whole number.
pub(super) fn sets(sets: &[Set], table: &Table, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    for set in sets {
        let of_row_id = |column: &&crate::Ident| names_row_id(&column.name, table);
        let Some(column) = set.columns.iter().find(of_row_id) else { continue };
        if set.columns.len() > 1 {
            let construct = format!("assigning {} together with other columns", column.name.quoted());
            let refused = Refused::new(Code::Unknown, construct).at(context.text, column.span);
            return Err(refused.hint("assign it on its own"));
        }
        spell_out(column, table, edits);
        if set.value.shape != Shape::Integer {
            edits.wrap(set.value.span, "_tenantry_row_id(", ")");
        }
    }
    Ok(())
}

/// Whether a column that is assigned is the table's row id.
pub(super) fn names_row_id(name: &crate::Name, table: &Table) -> bool {
    match &table.row_id {
        crate::RowId::Column(key) if key == name => true,
        crate::RowId::Column(_) | crate::RowId::Hidden => is_row_id(name) && table.column(name).is_none(),
        crate::RowId::None => false,
    }
}

/// A name that SQLite has for the row id becomes that of the column that holds it.
pub(super) fn spell_out(column: &crate::Ident, table: &Table, edits: &mut Edits) {
    if !names_row_id(&column.name, table) {
        return;
    }
    match &table.row_id {
        crate::RowId::Column(key) if *key != column.name => edits.replace(column.span, key.quoted().to_string()),
        crate::RowId::Hidden => edits.replace(column.span, format!("\"{}\"", crate::ROW_ID)),
        crate::RowId::Column(_) | crate::RowId::None => {}
    }
}
