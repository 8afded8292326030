//! Names, in all quotings and in odd case.

use super::{Feature, draw::Draw, tree::Tree};

/// Names that mean something to the parser when they stand alone.
const RESERVED: &[&str] =
    &["group", "order", "select", "table", "values", "index", "check", "default", "from", "where"];

impl Draw<'_> {
    /// A name, written in one of the ways that SQLite reads.
    pub(crate) fn name(&mut self, name: &str) -> Tree {
        let plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
            && !RESERVED.contains(&name.to_ascii_lowercase().as_str());
        if plain && self.chance(85) {
            return Tree::from(name.to_owned());
        }
        let name = if self.chance(30) { self.odd_case(name) } else { name.to_owned() };
        let written = match self.below(4) {
            0 if plain => name,
            1 if !name.contains(']') => format!("[{name}]"),
            2 => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        };
        Tree::from(written).mark(Feature::OddQuoting)
    }

    /// A name where one is declared or a table is meant: there single quotes are read too.
    pub(crate) fn declared(&mut self, name: &str) -> Tree {
        if self.chance(2) {
            return Tree::from(format!("'{}'", name.replace('\'', "''"))).mark(Feature::OddQuoting);
        }
        self.name(name)
    }

    fn odd_case(&mut self, name: &str) -> String {
        name.chars().map(|each| if self.chance(50) { each.to_ascii_uppercase() } else { each }).collect()
    }

    /// A name for an item of the innermost scope that no other item has.
    pub(crate) fn new_alias(&mut self) -> String {
        let tables: Vec<_> = self.schema.tables.iter().map(|table| table.name.clone()).collect();
        loop {
            let alias = match self.below(12) {
                // The name of another table.
                0 if !tables.is_empty() => self.pick(&tables),
                1 => "Select".to_owned(),
                2 => "odd name".to_owned(),
                _ => format!("{}{}", self.pick(&["a", "b", "c", "t", "x"]), self.below(9)),
            };
            if !self.scopes.last().is_some_and(|scope| scope.has_alias(&alias)) {
                return alias;
            }
        }
    }
}
