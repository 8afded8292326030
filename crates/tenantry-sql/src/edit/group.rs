//! R-FDGROUP: the columns that a primary key determines are grouped by as well.

use crate::{
    Name, Rule,
    bind::{Any, Bound},
    rules::on,
    splice::Edits,
};

pub(super) fn groups(bound: &Bound<'_>, edits: &mut Edits) {
    if !on(Rule::GroupByKey) {
        return;
    }
    for group in &bound.groups {
        let of = group.of.quoted();
        for column in &group.columns {
            edits.insert(group.at, format!(", {of}.{}", column.quoted()));
        }
        let any = |column: &Name| format!("(array_agg({of}.{}))[1]", column.quoted());
        for (span, result) in &group.any {
            let result = match result {
                Any::Column(column, true) => format!("{} AS {}", any(column), column.quoted()),
                Any::Column(column, false) => any(column),
                Any::Star(columns) => {
                    let columns = columns.iter().map(|(column, from_any)| match from_any {
                        true => format!("{} AS {}", any(column), column.quoted()),
                        false => format!("{of}.{}", column.quoted()),
                    });
                    columns.collect::<Vec<_>>().join(", ")
                }
            };
            edits.replace(*span, result);
        }
    }
}
