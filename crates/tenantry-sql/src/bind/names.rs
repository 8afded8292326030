//! The names of the columns that a query gives.

use super::{rows::renamed, scope::Ctes, walk::Binder};
use crate::{
    Name, Relation,
    ir::{Body, Branch, Constraint, From, Item, Output, Query, Select, TableRef},
};

/// How far common table expressions are followed, since they may refer to themselves.
pub(super) const FOLLOW_MAX: usize = 16;

/// More columns than that no query gives (2000 in SQLite, 1664 in PostgreSQL).
const COLUMNS_MAX: usize = 2000;

impl Binder<'_, '_> {
    /// The names that `SELECT *` gives for an item, or nothing where they cannot be told.
    pub(super) fn item_names(&self, item: &Item, ctes: Ctes<'_, '_>) -> Option<Vec<Name>> {
        self.names_of_item(item, ctes, FOLLOW_MAX)
    }

    fn names_of_item(&self, item: &Item, ctes: Ctes<'_, '_>, follow: usize) -> Option<Vec<Name>> {
        match item {
            Item::Table(table) => self.names_of_table(table, ctes, follow),
            Item::Call(_) | Item::Functions { .. } | Item::Join { alias: Some(_), .. } => None,
            Item::Query { query, columns, .. } => {
                Some(renamed(self.names_of_query(query, ctes, follow.checked_sub(1)?)?, columns))
            }
            Item::Join { from, .. } => self.names_of_from(from, ctes, follow),
        }
    }

    fn names_of_table(&self, table: &TableRef, ctes: Ctes<'_, '_>, follow: usize) -> Option<Vec<Name>> {
        if table.schema.is_none()
            && let Some((cte, visible)) = ctes.find(&table.name.name)
        {
            let names = match (&cte.columns, &cte.body) {
                _ if cte.extended => return None,
                (Some(columns), _) => columns.iter().map(|column| column.name.clone()).collect(),
                (None, Body::Query(query)) => self.names_of_query(query, visible, follow.checked_sub(1)?)?,
                (None, Body::Change(_)) => return None,
            };
            return Some(renamed(names, &table.columns));
        }
        let names = match self.schema.relation(&table.name.name)? {
            Relation::Tenant(table) | Relation::Global(table) => {
                table.columns.iter().map(|column| column.name.clone()).collect()
            }
            Relation::View(view) => view.columns.clone()?,
        };
        Some(renamed(names, &table.columns))
    }

    pub(super) fn names_of_query(&self, query: &Query, ctes: Ctes<'_, '_>, follow: usize) -> Option<Vec<Name>> {
        let ctes = ctes.within(query.with.as_ref());
        match query.branches.first()? {
            Branch::Select(select) => self.names_of_select(select, ctes, follow),
            Branch::Query(query) => self.names_of_query(query, ctes, follow.checked_sub(1)?),
            Branch::Values(values) => {
                let columns = values.rows.first()?.values.len();
                Some((1..=columns).map(|number| Name::new(format!("column{number}"))).collect())
            }
        }
    }

    fn names_of_select(&self, select: &Select, ctes: Ctes<'_, '_>, follow: usize) -> Option<Vec<Name>> {
        let mut names = Vec::new();
        for output in &select.results {
            match output {
                Output::Star { .. } => names.extend(self.names_of_from(select.from.as_ref()?, ctes, follow)?),
                Output::TableStar { table, .. } => {
                    let from = select.from.as_ref()?;
                    let item = from.items().find(|item| item.exposed().is_some_and(|name| name.name == table.name))?;
                    names.extend(self.names_of_item(item, ctes, follow)?);
                }
                Output::Expr { alias: Some(alias), .. } => names.push(alias.name.clone()),
                Output::Expr { expr, alias: None, .. } => names.push(match expr.named_by() {
                    Some(column) => column.name.name.clone(),
                    // PostgreSQL would give it a name that no rule has to know.
                    None => Name::from(&self.text[expr.span.range()]),
                }),
            }
        }
        Some(names).filter(|names| names.len() <= COLUMNS_MAX)
    }

    fn names_of_from(&self, from: &From, ctes: Ctes<'_, '_>, follow: usize) -> Option<Vec<Name>> {
        // Columns that a join merges are listed once, which nobody needs to know here.
        let merges = |join: &crate::ir::Join| join.kind.natural || matches!(join.constraint, Some(Constraint::Using));
        if from.joins.iter().any(merges) {
            return None;
        }
        let mut names = Vec::new();
        for item in from.items() {
            names.extend(self.names_of_item(item, ctes, follow)?);
            if names.len() > COLUMNS_MAX {
                return None;
            }
        }
        Some(names)
    }
}
