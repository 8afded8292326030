//! `RETURNING *` would show the tenant column.

use super::Context;
use crate::{
    Code, Dialect, Refused, Rule,
    bind::Change,
    ir::{Constraint, From, Item, Output},
    rules::on,
    splice::Edits,
};

pub(super) fn returning(change: &Change<'_>, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    let Some(returning) = change.returning else { return Ok(()) };
    let sqlite = context.tenant.dialect() == Dialect::Sqlite;
    let target = &change.what.target().exposed().name;
    for output in &returning.outputs {
        match output {
            Output::Expr { .. } => {}
            Output::TableStar { span, .. } if sqlite => {
                return Err(Refused::new(Code::WholeRow, "table.* in RETURNING").at(context.text, *span));
            }
            // What is not the target is a leaf, or shows as little.
            Output::TableStar { table, .. } if table.name != *target => {}
            Output::Star { span } | Output::TableStar { span, .. } => {
                let others = change.joined.filter(|_| !sqlite && matches!(output, Output::Star { .. }));
                let others = others.map(|from| stars(from).ok_or(*span)).transpose();
                let others = others.map_err(|span| {
                    let refused = Refused::new(Code::WholeRow, "RETURNING * beside NATURAL or USING");
                    refused.at(context.text, span).hint("name the columns")
                })?;
                if !on(Rule::ReturningStar) {
                    continue;
                }
                let column = |column: &crate::Column| match change.joined.filter(|_| !sqlite) {
                    Some(_) => format!("{}.{}", target.quoted(), column.name.quoted()),
                    None => column.name.quoted().to_string(),
                };
                let columns = change.table.columns.iter().map(column).chain(others.unwrap_or_default());
                let columns: Vec<_> = columns.collect();
                edits.replace(*span, columns.join(", "));
            }
        }
    }
    Ok(())
}

/// `item.*` for each item; nothing if a join merges columns or an item has no name.
fn stars(from: &From) -> Option<Vec<String>> {
    let merges = |join: &crate::ir::Join| join.kind.natural || matches!(join.constraint, Some(Constraint::Using));
    if from.joins.iter().any(merges) {
        return None;
    }
    let mut stars = Vec::new();
    for item in from.items() {
        match item {
            Item::Join { from, alias: None, .. } => stars.extend(self::stars(from)?),
            _ => stars.push(format!("{}.*", item.exposed()?.name.quoted())),
        }
    }
    Some(stars)
}
