//! R-FDGROUP: the columns that a primary key determines are grouped by as well.

use crate::{Rule, bind::Bound, rules::on, splice::Edits};

pub(super) fn groups(bound: &Bound<'_>, edits: &mut Edits) {
    if !on(Rule::GroupByKey) {
        return;
    }
    for group in &bound.groups {
        let of = group.of.quoted();
        for column in &group.columns {
            edits.insert(group.at, format!(", {of}.{}", column.quoted()));
        }
        for (span, column, unnamed) in &group.any {
            let name = if *unnamed { format!(" AS {}", column.quoted()) } else { String::new() };
            edits.replace(*span, format!("(array_agg({of}.{}))[1]{name}", column.quoted()));
        }
    }
}
