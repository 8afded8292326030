//! `INSERT`: the tenant is appended to the list of columns and to every branch of the source.
//!
//! It is appended, never prepended: `ORDER BY 1` must not mean another column.

use super::{
    Context,
    guard::{names_row_id, sets, spell_out, target},
};
use crate::{
    Code, Dialect, Refused, Rule, TENANT, Table,
    bind::Change,
    ir::{Branch, Conflict, Expr, Insert, Output, Query, Shape, Source, UpsertAction},
    rules::on,
    splice::Edits,
};

pub(super) fn insert(
    insert: &Insert,
    change: &Change<'_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Refused> {
    let table = &change.table;
    target(&insert.into, context, edits);
    check_counts(insert, table, context)?;
    columns(insert, change, context, edits)?;
    match &insert.source {
        Source::Default(span) => edits.replace(*span, format!("VALUES ({})", context.tenant)),
        Source::Query(query) => ids(insert, query, table, context, edits)?,
    }
    conflicts(insert, table, context, edits)
}

/// The tenant at the end of each row.
pub(super) fn append(insert: &Insert, context: &Context<'_>, edits: &mut Edits) {
    if let Source::Query(query) = &insert.source {
        append_to(query, context, edits);
    }
}

fn append_to(query: &Query, context: &Context<'_>, edits: &mut Edits) {
    for branch in &query.branches {
        match branch {
            Branch::Values(values) if on(Rule::InsertValues) => {
                for row in &values.rows {
                    edits.insert(row.span.end - 1, format!(", {}", context.tenant));
                }
            }
            Branch::Select(select) if on(Rule::InsertSelect) => {
                edits.insert(select.results_end(), format!(", {}", context.tenant));
            }
            Branch::Query(query) => append_to(query, context, edits),
            Branch::Values(_) | Branch::Select(_) => {}
        }
    }
}

/// The list of columns, with the tenant's at its end.
fn columns(insert: &Insert, change: &Change<'_>, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    let table = &change.table;
    match insert.columns.as_deref() {
        Some(columns @ [_, ..]) => {
            // Of columns that are listed twice SQLite takes the first, of row ids the last.
            if let Some(again) = columns.iter().filter(|column| names_row_id(&column.name, table)).nth(1) {
                let construct = format!("a second row id, {}", again.name.quoted());
                let refused = Refused::new(Code::SystemColumn, construct).at(context.text, again.span);
                return Err(refused.hint("list the row id once"));
            }
            columns.iter().for_each(|column| spell_out(column, table, edits));
            edits.insert(insert.columns_end, format!(", \"{TENANT}\""));
        }
        Some([]) | None => {
            let given = given(insert, change, context)?;
            let logical = table.insertable().take(given).map(|column| column.name.quoted().to_string());
            // Defaults are for all columns that are not listed.
            let logical = logical.filter(|_| matches!(insert.source, Source::Query(_)) && on(Rule::InsertColumns));
            let listed: Vec<_> = logical.chain([format!("\"{TENANT}\"")]).collect();
            edits.insert(insert.into.span.end, format!(" ({})", listed.join(", ")));
        }
    }
    Ok(())
}

/// In PostgreSQL a row of another length is refused here: with the tenant at its end a value could stand in the tenant's place.
fn check_counts(insert: &Insert, table: &Table, context: &Context<'_>) -> Result<(), Refused> {
    let Source::Query(Query { branches, .. }) = &insert.source else { return Ok(()) };
    let [Branch::Values(values)] = branches.as_slice() else { return Ok(()) };
    if context.tenant.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let lengths = || values.rows.iter().map(|row| row.values.len());
    let fits = match &insert.columns {
        Some(columns) => lengths().all(|length| length == columns.len()),
        None => lengths().all(|length| length <= table.columns.len() && Some(length) == lengths().next()),
    };
    if fits {
        return Ok(());
    }
    let refused = Refused::new(Code::Statement, "INSERT of another number of values than of columns");
    Err(refused.at(context.text, insert.into.span).hint("give a value for each column"))
}

/// How many columns are filled when none are listed. In PostgreSQL these may be fewer than there are.
fn given(insert: &Insert, change: &Change<'_>, context: &Context<'_>) -> Result<usize, Refused> {
    if context.tenant.dialect() == Dialect::Sqlite {
        return Ok(usize::MAX);
    }
    let refuse = || {
        let refused =
            Refused::new(Code::Unknown, "INSERT without a list of columns").at(context.text, insert.into.span);
        refused.hint("list the columns")
    };
    let table = &change.table;
    match &insert.source {
        Source::Default(_) => Ok(0),
        Source::Query(_) if table.columns.iter().any(|column| column.generated) => Err(refuse()),
        Source::Query(_) => change.width.filter(|width| *width <= table.columns.len()).ok_or_else(refuse),
    }
}

/// With `OR IGNORE` and its kin an id that is `NULL` would break a constraint instead of being filled in, so that it is
/// filled in beforehand.
fn ids(insert: &Insert, query: &Query, table: &Table, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    match insert.conflict {
        None | Some(Conflict::Replace) => return Ok(()),
        Some(Conflict::Abort(_) | Conflict::Fail | Conflict::Ignore | Conflict::Rollback) => {}
    }
    let Some(at) = id_at(insert, table) else { return Ok(()) };
    if !on(Rule::InsertId) {
        return Ok(());
    }
    let mut wrap = |id: &Expr| {
        if id.shape != Shape::Integer {
            edits.wrap(id.span, format!("_tenantry_new_id({}, ", table.number), ")");
        }
    };
    match query.branches.as_slice() {
        [Branch::Values(values)] => values.rows.iter().filter_map(|row| row.values.get(at)).for_each(wrap),
        [Branch::Select(select)] if !select.distinct => {
            let before = select.results.get(..=at).unwrap_or_default();
            match before.last() {
                Some(Output::Expr { expr, .. })
                    if before.iter().all(|output| matches!(output, Output::Expr { .. })) =>
                {
                    wrap(expr);
                }
                _ => return Err(refuse_ids(insert, context)),
            }
        }
        _ => return Err(refuse_ids(insert, context)),
    }
    Ok(())
}

fn refuse_ids(insert: &Insert, context: &Context<'_>) -> Refused {
    let refused = Refused::new(Code::Unknown, "INSERT OR … that takes its ids from such a query");
    refused.at(context.text, insert.into.span).hint("name the columns of the query, or leave the id out")
}

/// Which of the inserted columns is the row id.
fn id_at(insert: &Insert, table: &Table) -> Option<usize> {
    match &insert.columns {
        Some(columns) => columns.iter().position(|column| names_row_id(&column.name, table)),
        None => table.insertable().position(|column| names_row_id(&column.name, table)),
    }
}

/// Conflicts are those of the tenant's own rows.
fn conflicts(insert: &Insert, table: &Table, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    for upsert in &insert.upserts {
        // The name of a constraint is the same in the shared schema.
        if let Some(first) = upsert.target.as_ref().and_then(|target| target.terms.first())
            && on(Rule::ConflictTarget)
        {
            edits.insert(first.span.start, format!("\"{TENANT}\", "));
        }
        match &upsert.action {
            UpsertAction::Nothing => {}
            UpsertAction::Update { sets: assigned, .. } => sets(assigned, table, context, edits)?,
        }
    }
    Ok(())
}
