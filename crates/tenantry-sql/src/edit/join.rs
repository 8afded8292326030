//! R-RIGHT: SQLite has no good plan for a right join of subqueries, and a very good one for the left join that it equals.

use crate::{
    Rule, Span,
    bind::{Bound, Meaning},
    ir::{Constraint, From, Item, Join, Output},
    rules::on,
    splice::{Edits, Piece},
};

pub(super) fn turn_round(bound: &Bound<'_>, edits: &mut Edits) {
    if !on(Rule::RightJoin) {
        return;
    }
    for from in &bound.froms {
        let Some((join, on)) = right_join(from, bound) else { continue };
        let (left, right) = (from.first.span(), join.item.span());
        // A star lists the left operand's columns first.
        let stars = bound.selects.iter().filter(|select| select.from.as_ref().is_some_and(|of| of.span == from.span));
        let stars = stars.flat_map(|select| &select.results).filter(|output| matches!(output, Output::Star { .. }));
        let stars: Vec<_> = stars.map(Output::span).collect();
        match (stars.as_slice(), from.first.exposed(), join.item.exposed()) {
            ([], ..) => {}
            (stars, Some(first), Some(second)) => {
                for star in stars {
                    edits.replace(*star, format!("{}.*, {}.*", first.name.quoted(), second.name.quoted()));
                }
            }
            _ => continue,
        }
        let text = |text: &str| Piece::Text(text.to_owned());
        edits.rearrange(
            from.span,
            vec![Piece::Source(right), text(" LEFT JOIN "), Piece::Source(left), text(" "), Piece::Source(on)],
        );
    }
}

/// The right join of a `FROM` clause that consists of one, over a tenant's table, with an `ON`.
fn right_join<'s>(from: &'s From, bound: &Bound<'_>) -> Option<(&'s Join, Span)> {
    let [join] = from.joins.as_slice() else { return None };
    let Some(Constraint::On { span, .. }) = &join.constraint else { return None };
    let is_tenant_table = |item: &Item| match item {
        Item::Table(table) => {
            let read = bound.reads.iter().find(|read| read.table.span == table.span);
            read.is_some_and(|read| matches!(read.means, Meaning::Tenant(_)))
        }
        Item::Call(_) | Item::Functions { .. } | Item::Query { .. } | Item::Join { .. } => false,
    };
    // A star that is already spelt out stays as it is.
    let untouched = bound.stars.is_empty();
    let right = join.kind.right && !join.kind.left && !join.kind.natural;
    // SQLite does not see the parentheses of a join that comes first, so that names in it mean something else then.
    let parentheses = from.items().any(|item| matches!(item, Item::Join { .. }));
    (right && untouched && !parentheses && from.items().any(is_tenant_table)).then_some((join, *span))
}
