//! Types and extensions, which only PostgreSQL has.

use super::{Relation, SchemaMap};
use crate::Name;

/// A type that the application's migrations created: an enumeration, a domain or a composite type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Its name, in the application's schema.
    pub name: Name,
    /// The names of its fields, if it is composite.
    pub fields: Vec<Name>,
}

impl SchemaMap {
    /// With the application's own types, and those of extensions.
    #[must_use]
    pub fn with_types(mut self, types: impl IntoIterator<Item = Type>) -> Self {
        self.types.extend(types.into_iter().map(|found| (found.name.clone(), found)));
        self
    }

    /// With the extensions that are installed, by name. Their functions can be called if they are known to be harmless.
    #[must_use]
    pub fn with_extensions<E: Into<Box<str>>>(mut self, extensions: impl IntoIterator<Item = E>) -> Self {
        self.extensions.extend(extensions.into_iter().map(Into::into));
        self
    }

    /// Whether a type of this name exists; each table and view is one as well.
    pub fn has_type(&self, name: &Name) -> bool {
        self.types.contains_key(name) || self.relation(name).is_some()
    }

    /// Whether a composite type, or the type of the rows of a table, has a field of this name.
    pub fn has_field(&self, name: &Name) -> bool {
        let in_table = |relation: &Relation| match relation {
            Relation::Tenant(table) | Relation::Global(table) => table.column(name).is_some(),
            Relation::View(_) => false,
        };
        self.types.values().any(|found| found.fields.contains(name)) || self.relations().any(in_table)
    }

    /// Whether an extension is installed.
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions.contains(name)
    }
}
