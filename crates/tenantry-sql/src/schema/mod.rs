//! The schema map: facts about the application's tables, as the application knows them.

#[cfg(feature = "sqlite")]
mod read;
mod relation;
mod types;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

#[cfg(feature = "sqlite")]
pub use self::read::{Belongs, StoredSchema};
pub use self::{
    relation::{Action, Column, ForeignKey, PostgresFacts, Relation, RowId, Table, View},
    types::Type,
};
use crate::Name;

/// The tables and views of the application, without what Tenantry adds.
///
/// A map is immutable; a migration makes a new one with a higher version.
#[derive(Clone, Debug, Default)]
pub struct SchemaMap {
    version: u64,
    relations: HashMap<Name, Relation>,
    types: HashMap<Name, Type>,
    extensions: HashSet<Box<str>>,
}

impl SchemaMap {
    /// A map of these relations. Of two with one name, the later one counts.
    pub fn new(version: u64, relations: impl IntoIterator<Item = Relation>) -> Self {
        let relations = relations.into_iter().map(|relation| (relation.name().clone(), relation)).collect();
        Self { version, relations, types: HashMap::new(), extensions: HashSet::new() }
    }

    /// Which state of the schema this is. Plans made with one version are not used with another.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The table or view of this name.
    pub fn relation(&self, name: &Name) -> Option<&Relation> {
        self.relations.get(name)
    }

    /// The tenant or global table of this name.
    pub fn table(&self, name: &Name) -> Option<&Arc<Table>> {
        match self.relation(name)? {
            Relation::Tenant(table) | Relation::Global(table) => Some(table),
            Relation::View(_) => None,
        }
    }

    /// Adds the tables that foreign keys connect with `names`, directly or by others, in both directions: what a change of
    /// one of them may look at or change.
    pub(crate) fn add_related(&self, names: &mut Vec<Name>) {
        let mut at = 0;
        while let Some(name) = names.get(at).cloned() {
            let related: Vec<_> = self.related(&name).filter(|name| !names.contains(name)).cloned().collect();
            names.extend(related);
            at += 1;
        }
    }

    /// The tables that foreign keys connect with a table. May name one several times.
    fn related(&self, name: &Name) -> impl Iterator<Item = &Name> {
        let tables = self.relations.values().filter_map(|relation| match relation {
            Relation::Tenant(table) | Relation::Global(table) => Some(table),
            Relation::View(_) => None,
        });
        tables.flat_map(move |table| {
            let parents = table.foreign_keys.iter().map(|key| &key.parent);
            parents.filter_map(move |parent| match (&table.name == name, parent == name) {
                (true, _) => Some(parent),
                (_, true) => Some(&table.name),
                _ => None,
            })
        })
    }

    /// All tables and views, in no order.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values()
    }
}
