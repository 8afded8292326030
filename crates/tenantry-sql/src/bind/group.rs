//! R-FDGROUP: a primary key that is grouped by makes the other columns of its table available.
//!
//! PostgreSQL knows that of tables only, and a leaf is none, so that the other columns have to be grouped by as well. A column
//! whose type cannot be compared is taken from any row of the group, which all have the same.

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
    /// Results that are taken from any row of the group.
    pub(crate) any: Vec<(Span, Any)>,
}

/// What is taken from any row of a group.
#[derive(Debug)]
pub(crate) enum Any {
    /// A column, and whether the result needs its name.
    Column(Name, bool),
    /// All columns, each with whether it is taken so.
    Star(Vec<(Name, bool)>),
}

impl<'s> Binder<'_, 's> {
    /// `seen` is how many columns had been named before the query.
    pub(super) fn group(&mut self, select: &'s Select, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>, seen: usize) {
        // Nobody means so many; the database says what is not grouped by.
        const PAIRS_MAX: usize = 100_000;
        if select.group.is_empty() || select.group.len().saturating_mul(scope.items.len()) > PAIRS_MAX {
            return;
        }
        let terms: Vec<_> = select.group.iter().flat_map(|term| self.terms(term, select, scope, ctes)).collect();
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
                any: self.any(select, scope, at, table, names),
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
    fn any(
        &self,
        select: &Select,
        scope: &Scope<'_, 's>,
        at: usize,
        table: &Table,
        names: &[Name],
    ) -> Vec<(Span, Any)> {
        let of = scope.items.get(at).and_then(|item| item.name.as_ref());
        let any = |place: &usize| !is_comparable(table, *place);
        let star = || Any::Star(names.iter().cloned().zip((0..).map(|place| any(&place))).collect());
        let has_any = (0..names.len()).any(|place| any(&place));
        let results = select.results.iter().filter_map(|output| match output {
            Output::Expr { alias, .. } => {
                let column = plain(output)?;
                let of_it = column.table.as_ref().is_none_or(|table| of == Some(&table.name));
                let place = names.iter().position(|name| *name == column.name.name).filter(any)?;
                of_it.then(|| (column.span, Any::Column(names[place].clone(), alias.is_none())))
            }
            Output::TableStar { span, table } if has_any && of == Some(&table.name) => Some((*span, star())),
            // Where there are others, the database says that the column is not grouped by.
            Output::Star { span } if has_any && scope.items.len() == 1 => Some((*span, star())),
            Output::Star { .. } | Output::TableStar { .. } => None,
        });
        results.collect()
    }

    /// The columns that a term means: several if a join merges them.
    fn terms(&self, term: &GroupTerm, select: &Select, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Vec<Term> {
        let result = |column: Option<&ColumnRef>, end| {
            let place = |column: &ColumnRef| {
                self.places(column.table.as_ref().map(|of| &of.name), &column.name.name, end, scope, ctes)
            };
            column.map(place).unwrap_or_default()
        };
        match term {
            GroupTerm::Result { number, end } => {
                let results = select.results.get(..*number).filter(|results| results.iter().all(is_expr));
                result(results.and_then(|results| plain(results.last()?)), *end)
            }
            GroupTerm::Column { table, name, end } => {
                let found = self.places(table.as_ref(), name, *end, scope, ctes);
                let known = || scope.items.iter().all(|item| self.visible_columns(item, ctes).is_some());
                if !found.is_empty() || table.is_some() || !known() {
                    return found;
                }
                // What is no column is the name of a result.
                let named = select.results.iter().find(|output| match output {
                    Output::Expr { alias: Some(alias), .. } => alias.name == *name,
                    _ => false,
                });
                result(named.and_then(plain), *end)
            }
        }
    }

    /// Which items a column belongs to. Of several, a join merges them, or the database says that it is ambiguous.
    fn places(
        &self,
        table: Option<&Name>,
        name: &Name,
        end: usize,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Vec<Term> {
        let items = scope.items.iter().enumerate();
        let items = items.filter(|(_, item)| table.is_none_or(|table| item.name.as_ref() == Some(table)));
        let has = |item: &Exposed<'s>| self.visible_columns(item, ctes).is_some_and(|names| names.contains(name));
        items.filter(|(_, item)| has(item)).map(|(item, _)| Term { item, name: name.clone(), end }).collect()
    }
}

/// A column of an item that is grouped by.
struct Term {
    item: usize,
    name: Name,
    end: usize,
}

fn is_comparable(table: &Table, place: usize) -> bool {
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
