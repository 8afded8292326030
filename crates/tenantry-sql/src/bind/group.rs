//! R-FDGROUP: a primary key that is grouped by makes the other columns of its table available.
//!
//! PostgreSQL knows that of tables only, and a leaf is none, so that the other columns have to be grouped by as well. A column
//! whose type cannot be compared is taken from any row of the group, which all have the same.

use std::sync::Arc;

use super::{
    scope::{Ctes, Exposed, Role, Scope, Visible},
    walk::Binder,
};
use crate::{
    Name, Span, Table,
    ir::{ColumnRef, GroupTerm, Output, Select, Shape, Site},
};

/// A primary key that is grouped by.
#[derive(Debug)]
pub(crate) struct Grouped {
    /// Where the term ends that others are put after.
    pub(crate) at: usize,
    /// What columns are qualified with.
    pub(crate) of: Name,
    /// The columns to group by besides.
    pub(crate) columns: Vec<Name>,
    /// Results that are taken from any row of the group, each with its column and whether it needs a name.
    pub(crate) any: Vec<(Span, Name, bool)>,
}

impl<'s> Binder<'_, 's> {
    /// `seen` is how many columns had been named before the query.
    pub(super) fn group(&mut self, select: &'s Select, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>, seen: usize) {
        // Nobody means so many; the database says what is not grouped by.
        const PAIRS_MAX: usize = 100_000;
        if select.group.is_empty() || select.group.len().saturating_mul(scope.items.len()) > PAIRS_MAX {
            return;
        }
        let terms: Vec<_> = select.group.iter().filter_map(|term| self.term(term, select, scope, ctes)).collect();
        for (at, item) in scope.items.iter().enumerate() {
            let (Some(of), Visible::Table { table, role: Role::Leaf(_) }) = (&item.name, &item.relation) else {
                continue;
            };
            let names = self.visible_columns(item, ctes).unwrap_or_default();
            let grouped: Vec<_> = terms.iter().filter(|term| term.item == at).collect();
            let has = |name: &Name| grouped.iter().any(|term| term.name == *name);
            let key = table.primary_key.iter().map(|key| {
                let place = table.columns.iter().position(|column| column.name == *key)?;
                names.get(place)
            });
            let Some(key) = key.collect::<Option<Vec<_>>>().filter(|key| !key.is_empty()) else { continue };
            let Some(end) = grouped.iter().map(|term| term.end).max() else { continue };
            if !key.into_iter().all(has) {
                continue;
            }
            let wanted = self.wanted(select, of, names, seen);
            let wanted: Vec<_> = wanted.into_iter().filter(|place| !has(&names[*place])).collect();
            let grouped = Grouped {
                at: end,
                of: of.clone(),
                columns: wanted
                    .iter()
                    .filter(|place| is_comparable(table, **place))
                    .map(|place| names[*place].clone())
                    .collect(),
                any: self.any(select, item, table, names),
            };
            self.bound.groups.push(grouped);
        }
    }

    /// The columns of a table, by their places, that the query names or may show.
    fn wanted(&self, select: &Select, of: &Name, names: &[Name], seen: usize) -> Vec<usize> {
        let all = select.results.iter().any(|output| match output {
            Output::Star { .. } => true,
            Output::TableStar { table, .. } => table.name == *of,
            Output::Expr { .. } => false,
        });
        let named = self.columns.get(seen..).unwrap_or_default();
        let is_row = |column: &&&ColumnRef| column.table.is_none() && column.name.name == *of;
        let all = all || named.iter().any(|column| is_row(&column));
        let is_named = |name: &Name| {
            let of_it = |column: &&ColumnRef| column.table.as_ref().is_none_or(|table| table.name == *of);
            named.iter().any(|column| column.name.name == *name && of_it(column))
        };
        (0..names.len()).filter(|place| all || is_named(&names[*place])).collect()
    }

    /// The results that are columns of a table whose types cannot be compared.
    fn any(&self, select: &Select, item: &Exposed<'_>, table: &Arc<Table>, names: &[Name]) -> Vec<(Span, Name, bool)> {
        let results = select.results.iter().filter_map(|output| match output {
            Output::Expr { alias, .. } => {
                let column = plain(output)?;
                let of_it = match &column.table {
                    Some(of) => item.name.as_ref() == Some(&of.name),
                    None => true,
                };
                let place = names.iter().position(|name| *name == column.name.name)?;
                let any = of_it && !is_comparable(table, place);
                any.then(|| (column.span, names[place].clone(), alias.is_none()))
            }
            Output::Star { .. } | Output::TableStar { .. } => None,
        });
        results.collect()
    }

    fn term(&self, term: &GroupTerm, select: &Select, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Option<Term> {
        let (table, name, end) = match term {
            GroupTerm::Column { table, name, end } => (table.as_ref(), name, *end),
            GroupTerm::Result { number, end } => {
                let results = select.results.get(..*number)?;
                let column = plain(results.last().filter(|_| results.iter().all(is_expr))?)?;
                let (item, name) =
                    self.place(column.table.as_ref().map(|of| &of.name), &column.name.name, scope, ctes)?;
                return Some(Term { item, name, end: *end });
            }
        };
        if let Some((item, name)) = self.place(table, name, scope, ctes) {
            return Some(Term { item, name, end });
        }
        // What is no column is the name of a result.
        let known = scope.items.iter().all(|item| self.visible_columns(item, ctes).is_some());
        let result = select.results.iter().find(|output| match output {
            Output::Expr { alias: Some(alias), .. } => alias.name == *name,
            _ => false,
        });
        let column = plain(result.filter(|_| table.is_none() && known)?)?;
        let (item, name) = self.place(column.table.as_ref().map(|of| &of.name), &column.name.name, scope, ctes)?;
        Some(Term { item, name, end })
    }

    /// Which item a column belongs to. Of several, they are merged by the join, and the first one's serves as well.
    fn place(
        &self,
        table: Option<&Name>,
        name: &Name,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Option<(usize, Name)> {
        let items = scope.items.iter().enumerate();
        let mut items = items.filter(|(_, item)| table.is_none_or(|table| item.name.as_ref() == Some(table)));
        let has = |item: &Exposed<'s>| self.visible_columns(item, ctes).is_some_and(|names| names.contains(name));
        items.find(|(_, item)| has(item)).map(|(at, _)| (at, name.clone()))
    }
}

/// A column of an item that is grouped by.
struct Term {
    item: usize,
    name: Name,
    end: usize,
}

fn is_comparable(table: &Arc<Table>, place: usize) -> bool {
    table.columns.get(place).is_some_and(|column| !table.postgres.incomparable.contains(&column.name))
}

const fn is_expr(output: &Output) -> bool {
    matches!(output, Output::Expr { .. })
}

/// The column that a result is, if it is nothing else.
fn plain(output: &Output) -> Option<&ColumnRef> {
    match output {
        Output::Expr { expr, .. } if expr.shape == Shape::Column => match expr.sites.as_slice() {
            [Site::Column(column)] => Some(column),
            _ => None,
        },
        _ => None,
    }
}
