//! `*` where a leaf shows a row id that the application asked for by name.

use super::{Role, scope::Ctes, walk::Binder};
use crate::{
    Code, Refused, RowId,
    ir::{Constraint, From, Item, Output, Select},
};

impl<'s> Binder<'_, 's> {
    /// Spells out the stars of a `SELECT` if one of its leaves shows a hidden row id.
    pub(super) fn spell_out_stars(&mut self, select: &'s Select, ctes: &Ctes<'_, 's>) -> Result<(), Refused> {
        let Some(from) = &select.from else { return Ok(()) };
        if !self.shows_row_id(from) {
            return Ok(());
        }
        for output in &select.results {
            let (span, of) = match output {
                Output::Star { span } => (*span, None),
                Output::TableStar { span, table } => (*span, Some(&table.name)),
                Output::Expr { .. } => continue,
            };
            let refuse = || {
                let refused = self.refuse(Code::SystemColumn, "* beside a row id", span);
                refused.hint("name the columns instead of using *")
            };
            let mut columns = Vec::new();
            for item in flat(from).ok_or_else(refuse)? {
                let name = &item.exposed().ok_or_else(refuse)?.name;
                if of.is_none_or(|of| of == name) {
                    let columns_of = self.item_names(item, *ctes).ok_or_else(refuse)?;
                    columns.extend(columns_of.into_iter().map(|column| (name.clone(), column)));
                }
            }
            self.bound.stars.push((span, columns));
        }
        Ok(())
    }

    fn shows_row_id(&self, from: &From) -> bool {
        let shown = |item: &Item| match item {
            Item::Table(table) => self.bound.row_ids.iter().any(|row_id| {
                row_id.table.row_id == RowId::Hidden
                    && matches!(row_id.role, Role::Leaf(leaf) if leaf.span == table.span)
            }),
            Item::Join { from, .. } => self.shows_row_id(from),
            Item::Call(_) | Item::Functions { .. } | Item::Query { .. } => false,
        };
        from.items().any(shown)
    }
}

/// The items of a `FROM` clause, those in parentheses as well; nothing if a join merges columns.
fn flat(from: &From) -> Option<Vec<&Item>> {
    let merges = |join: &crate::ir::Join| join.kind.natural || matches!(join.constraint, Some(Constraint::Using));
    if from.joins.iter().any(merges) {
        return None;
    }
    let mut items = Vec::new();
    for item in from.items() {
        match item {
            Item::Join { from, .. } => items.extend(flat(from)?),
            Item::Table(_) | Item::Call(_) | Item::Functions { .. } | Item::Query { .. } => items.push(item),
        }
    }
    Some(items)
}
