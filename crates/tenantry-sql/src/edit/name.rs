//! Results without an alias are named after their text, which must be that of the application.

use super::Context;
use crate::{
    Name, Rule,
    bind::Bound,
    ir::{Output, Shape},
    rules::on,
    splice::Edits,
};

pub(super) fn results(bound: &Bound<'_>, context: &Context<'_>, edits: &mut Edits) {
    if !on(Rule::ResultName) {
        return;
    }
    let returned = bound.changes.iter().filter_map(|change| change.returning).flat_map(|returning| &returning.outputs);
    let selected = bound.selects.iter().flat_map(|select| &select.results);
    let mut names = Vec::new();
    for output in selected.chain(returned) {
        let Output::Expr { expr, alias: None, .. } = output else { continue };
        let hidden = |span| {
            let mut row_ids = bound.row_ids.iter().filter(|row_id| row_id.is_hidden());
            row_ids.any(|row_id| row_id.column.span == span)
        };
        // A column is the name of its result, however it is qualified.
        let name = match expr.shape {
            Shape::Column if !hidden(expr.span) => continue,
            Shape::Column => "rowid",
            Shape::Cast | Shape::Otherwise | Shape::Null | Shape::Integer | Shape::Other => {
                &context.text[expr.span.range()]
            }
        };
        if edits.touch(expr.span) {
            names.push((expr.span.end, Name::from(name)));
        }
    }
    // An insertion is not to count as a change of the text around it.
    for (at, name) in names {
        edits.insert(at, format!(" AS {}", name.quoted()));
    }
}
