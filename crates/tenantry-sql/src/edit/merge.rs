//! `MERGE`: the guard is the first of what rows are matched by, and inserted rows get the tenant.

use super::{
    Context,
    guard::{sets, target},
};
use crate::{
    Code, Refused, Rule, TENANT,
    bind::Change,
    ir::{Arm, ArmAction, ArmValues, Merge, Where},
    rules::on,
    splice::Edits,
};

pub(super) fn merge(
    merge: &Merge,
    change: &Change<'_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Refused> {
    target(&merge.table, context, edits);
    let guard = context.tenant.owns(&merge.table.exposed().name);
    if on(Rule::GuardMerge) {
        edits.wrap(merge.on.span, format!("{guard} AND ("), ")");
    }
    merge.arms.iter().try_for_each(|arm| self::arm(arm, &guard, change, context, edits))
}

fn arm(arm: &Arm, guard: &str, change: &Change<'_>, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    // Rows that nothing matches are those of all tenants.
    match &arm.filter {
        _ if !arm.by_source || !on(Rule::GuardBySource) => {}
        Where::Absent(at) => edits.insert(*at, format!(" AND {guard}")),
        Where::Given(filter) => edits.wrap(filter.span, format!("{guard} AND ("), ")"),
    }
    match &arm.action {
        ArmAction::Plain => Ok(()),
        ArmAction::Update(assigned) => sets(assigned, &change.table, context, edits),
        ArmAction::Insert { columns, columns_end, values } => {
            let given = match values {
                ArmValues::Default(_) => 0,
                ArmValues::Row(row) => row.values.len(),
            };
            match columns {
                Ok(columns) if columns.len() == given => edits.insert(*columns_end, format!(", \"{TENANT}\"")),
                Err(at) if given <= change.table.columns.len() => {
                    if change.table.columns.iter().any(|column| column.generated) {
                        let refused = Refused::new(Code::Unknown, "INSERT without a list of columns");
                        return Err(refused.at(context.text, crate::Span::at(*at)).hint("list the columns"));
                    }
                    let logical = change.table.columns.iter().take(given);
                    let logical = logical.map(|column| column.name.quoted().to_string());
                    let listed: Vec<_> = logical.chain([format!("\"{TENANT}\"")]).collect();
                    edits.insert(*at, format!(" ({})", listed.join(", ")));
                }
                Ok(_) | Err(_) => {
                    let refused = Refused::new(Code::Statement, "INSERT of another number of values than of columns");
                    return Err(refused.at(context.text, crate::Span::at(*columns_end)));
                }
            }
            if let ArmValues::Default(span) = values {
                edits.replace(*span, format!("VALUES ({})", context.tenant));
            }
            Ok(())
        }
    }
}

/// The tenant at the end of each row.
pub(super) fn append(merge: &Merge, context: &Context<'_>, edits: &mut Edits) {
    for arm in &merge.arms {
        if let ArmAction::Insert { values: ArmValues::Row(row), .. } = &arm.action
            && on(Rule::InsertValues)
        {
            edits.insert(row.span.end - 1, format!(", {}", context.tenant));
        }
    }
}
