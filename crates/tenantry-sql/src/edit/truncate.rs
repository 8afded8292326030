//! `TRUNCATE` deletes the rows of the tenant.

use super::Context;
use crate::{
    Rule,
    bind::Bound,
    ir::{Kind, Statement},
    rules::on,
    splice::Edits,
};

/// Several tables are emptied by one statement, so that foreign keys between them are looked at when all are.
pub(super) fn truncate(statement: &Statement, bound: &Bound<'_>, context: &Context<'_>, edits: &mut Edits) {
    let Kind::Truncate(_, span) = &statement.kind else { return };
    let deletes = bound.emptied.iter().map(|(_, table)| {
        let guard = if on(Rule::GuardTruncate) {
            format!(" WHERE {}", context.tenant.owns(&table.name))
        } else {
            String::new()
        };
        (table.name.quoted(), format!("DELETE FROM {}{guard}", context.tenant.physical(&table.name)))
    });
    let mut deletes: Vec<_> = deletes.collect();
    let Some((_, last)) = deletes.pop() else { return };
    let before: Vec<_> = deletes.iter().map(|(name, delete)| format!("{name} AS ({delete})")).collect();
    let with = if before.is_empty() { String::new() } else { format!("WITH {} ", before.join(", ")) };
    edits.replace(*span, format!("{with}{last}"));
}
