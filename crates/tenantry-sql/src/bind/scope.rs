//! Which names are visible at a place.

use std::{cell::OnceCell, sync::Arc};

use crate::{
    Name, Table,
    ir::{Cte, Item, TableRef, With},
};

/// The common table expressions that are visible: those of a `WITH`, and of the queries around it.
///
/// In SQLite all siblings see each other and themselves, whether `RECURSIVE` is written or not; in PostgreSQL only if it is,
/// and otherwise each sees those before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ctes<'e, 's> {
    around: Option<&'e Self>,
    siblings: &'s [Cte],
}

impl<'e, 's> Ctes<'e, 's> {
    /// With those of a query's own `WITH`.
    pub(crate) fn within(&'e self, with: Option<&'s With>) -> Self {
        Ctes { around: Some(self), siblings: with.map_or(&[], |with| &with.ctes) }
    }

    /// What the query of the common table expression at `at` sees.
    pub(crate) fn in_query(&self, with: &'s With, at: usize) -> Self {
        let sees = if with.in_order { at } else { with.ctes.len() };
        Self { around: self.around, siblings: with.ctes.get(..sees).unwrap_or_default() }
    }

    /// What `name` means here, if it is a common table expression, and what is visible in its query.
    pub(crate) fn find(&self, name: &Name) -> Option<(&'s Cte, Self)> {
        let here = self.siblings.iter().find(|cte| cte.name.name == *name);
        match here {
            Some(cte) => Some((cte, *self)),
            None => self.around?.find(name),
        }
    }
}

/// The relations whose columns are visible in an expression, and those of the queries around it.
#[derive(Debug, Default)]
pub(crate) struct Scope<'e, 's> {
    pub(crate) around: Option<&'e Self>,
    pub(crate) items: Vec<Exposed<'s>>,
}

/// A relation whose columns are visible.
#[derive(Debug)]
pub(crate) struct Exposed<'s> {
    /// The name that qualifies its columns.
    pub(crate) name: Option<Name>,
    pub(crate) relation: Visible<'s>,
    /// Its columns as they are called here, found out when they are first asked for; nothing where they cannot be told.
    pub(crate) columns: OnceCell<Option<Vec<Name>>>,
}

impl<'s> Exposed<'s> {
    pub(crate) const fn new(name: Option<Name>, relation: Visible<'s>) -> Self {
        Self { name, relation, columns: OnceCell::new() }
    }

    /// Whether it is the row that a trigger is about.
    pub(crate) const fn is_row(&self) -> bool {
        matches!(self.relation, Visible::Table { role: Role::Row, .. })
    }

    /// Whether it is a table, or one of the database's own relations, that a statement names.
    pub(crate) const fn is_named(&self) -> bool {
        match self.relation {
            Visible::Table { .. } => !self.is_row(),
            Visible::Catalog => true,
            Visible::Other { .. } => false,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Visible<'s> {
    Table {
        table: Arc<Table>,
        role: Role<'s>,
    },
    /// One of the database's own relations.
    Catalog,
    /// Anything else; its columns are found out when they are asked for.
    Other {
        item: &'s Item,
    },
}

/// How a table comes to be visible.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role<'s> {
    /// It is read, by a leaf.
    Leaf(&'s TableRef),
    /// It is read as it is, for it belongs to all tenants.
    Global(&'s TableRef),
    /// Its rows are changed.
    Target,
    /// It is the row that could not be inserted.
    Excluded,
    /// It is the row that a trigger is about, `NEW` or `OLD`. Its columns are visible with that name only.
    Row,
}
