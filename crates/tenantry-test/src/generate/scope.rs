//! The names that can be seen at a place.

use crate::Class;

/// What a `FROM` clause puts into view.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) items: Vec<Item>,
    /// The columns that `*` gives, those that can be named.
    pub(crate) star: Vec<Col>,
    /// How many `*` gives.
    pub(crate) star_width: usize,
    /// Whether `*` may be ambiguous.
    pub(crate) star_is_ambiguous: bool,
    /// The columns that `USING` and `NATURAL` made one of.
    pub(crate) merged: Vec<String>,
    /// A name that no item may have.
    pub(crate) taken: Option<String>,
}

/// A table, a view, a query in a `FROM` clause.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What goes before the dot; nothing if nothing can.
    pub(crate) alias: Option<String>,
    /// Whether `main.` may go before that.
    pub(crate) in_main: bool,
    /// Those that can be named.
    pub(crate) columns: Vec<Col>,
    /// How many there are.
    pub(crate) width: usize,
    pub(crate) row_id: bool,
}

/// A column that can be seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Col {
    pub(crate) name: String,
    pub(crate) class: Class,
}

/// A common table expression.
#[derive(Clone, Debug)]
pub(crate) struct Cte {
    pub(crate) name: String,
    /// Nothing while it is being made: then nobody may use it.
    pub(crate) columns: Option<Vec<Col>>,
}

impl Scope {
    /// How many columns an unqualified name could mean.
    pub(crate) fn occurs(&self, name: &str) -> usize {
        if self.merged.iter().any(|merged| same(merged, name)) {
            return 1;
        }
        let columns = self.items.iter().flat_map(|item| &item.columns);
        columns.filter(|column| same(&column.name, name)).count()
    }

    /// Puts an item into view, with the columns that are merged with those of the items before.
    pub(crate) fn add(&mut self, item: Item, merged: Vec<String>) {
        // What was one column is ambiguous when another one of its name comes.
        let clashes = |name: &String| {
            item.columns.iter().any(|column| same(&column.name, name)) && !merged.iter().any(|of| same(of, name))
        };
        if self.merged.iter().any(clashes) {
            self.star_is_ambiguous = true;
            self.merged.retain(|name| !clashes(name));
        }
        let apart = item.columns.iter().filter(|column| !merged.iter().any(|name| same(name, &column.name)));
        self.star.extend(apart.cloned());
        self.star_width += item.width - merged.len();
        self.merged.extend(merged);
        self.items.push(item);
    }

    pub(crate) fn has_alias(&self, alias: &str) -> bool {
        let aliases = self.items.iter().map(|item| &item.alias).chain([&self.taken]);
        aliases.flatten().any(|known| same(known, alias))
    }
}

/// Whether two names are the same for SQLite.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}
