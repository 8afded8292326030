//! The state of a statement that is being made: chance, the names in scope, and how large it may still grow.

use proptest::test_runner::TestRng;

use super::Ty;
use crate::{
    Value,
    generate::{
        Feature,
        chance::Chance,
        parameter::{Form, Parameter},
        tree::{Tree, seq},
    },
};

pub(crate) struct Draw<'a> {
    chance: Chance<'a>,
    /// From the outermost query to the innermost.
    pub(crate) scopes: Vec<Scope>,
    pub(crate) ctes: Vec<Cte>,
    /// Goes down with each piece; at zero only the simplest are made.
    pub(crate) fuel: i32,
    /// How deep queries stand in each other.
    pub(crate) depth: u32,
    /// Whether an aggregate may stand here.
    pub(crate) aggregates: bool,
    /// Whether a window function may stand here.
    pub(crate) windows: bool,
    /// Whether there is a window `w`.
    pub(crate) named_windows: bool,
    /// Whether only the innermost scope is seen: an aggregate of outer columns would be the outer query's.
    pub(crate) local: bool,
}

/// What a `FROM` clause puts into view.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) items: Vec<Item>,
    /// The columns that `USING` and `NATURAL` made one of.
    pub(crate) merged: Vec<String>,
    /// What can be named after `GROUP BY`, if rows are grouped.
    pub(crate) keys: Option<Vec<(Tree, Ty)>>,
    /// Whether unqualified names could be ambiguous, since more items come.
    pub(crate) joining: bool,
}

/// A table, a view, a query in a `FROM` clause.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) alias: String,
    /// Whether `public.` may go before that.
    pub(crate) in_public: bool,
    pub(crate) columns: Vec<Col>,
    /// The columns of the primary key, for a table.
    pub(crate) key: &'static [&'static str],
    /// Whether it is a table whose rows can be locked.
    pub(crate) is_table: bool,
    /// Whether its rows can be used as values.
    pub(crate) whole: bool,
}

/// A column that can be seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Col {
    pub(crate) name: String,
    pub(crate) ty: Ty,
}

/// A common table expression.
#[derive(Clone, Debug)]
pub(crate) struct Cte {
    pub(crate) name: String,
    pub(crate) columns: Vec<Col>,
}

impl<'a> Draw<'a> {
    pub(crate) fn new(rng: &'a mut TestRng) -> Self {
        let mut chance = Chance::new(rng);
        let fuel = i32::try_from(chance.number() % 40).unwrap_or_default() + 6;
        let (scopes, ctes) = (Vec::new(), Vec::new());
        let (aggregates, windows, named_windows) = (false, false, false);
        Self { chance, scopes, ctes, fuel, depth: 0, aggregates, windows, named_windows, local: false }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.chance.below(bound)
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.chance.chance(percent)
    }

    /// One of these; there is at least one.
    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        self.chance.pick(from)
    }

    /// One of the texts.
    pub(crate) fn word(&mut self, from: &[&'static str]) -> Tree {
        Tree::from(self.pick(from))
    }

    /// The place of one of these weights, as often as it is heavy.
    pub(crate) fn weighted(&mut self, weights: &[usize]) -> usize {
        self.chance.weighted(weights)
    }

    pub(crate) const fn is_tired(&self) -> bool {
        self.fuel <= 0
    }

    /// Makes something in which neither aggregates nor windows may stand.
    pub(crate) fn plainly<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        self.allowing(false, false, make)
    }

    pub(crate) fn allowing<T>(&mut self, aggregates: bool, windows: bool, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.aggregates, self.windows);
        (self.aggregates, self.windows) = (aggregates, windows);
        let made = make(self);
        (self.aggregates, self.windows) = before;
        made
    }

    /// Makes something that sees all columns of the innermost scope and no others.
    pub(crate) fn locally<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.local, true);
        let keys = self.scopes.last_mut().and_then(|scope| scope.keys.take());
        let made = make(self);
        if let Some(scope) = self.scopes.last_mut() {
            scope.keys = keys;
        }
        self.local = before;
        made
    }

    /// Makes something that sees no columns at all.
    pub(crate) fn blindly<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::take(&mut self.scopes);
        let made = make(self);
        self.scopes = before;
        made
    }

    /// Makes something that does not see the innermost scope, which is still being made.
    pub(crate) fn outside<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let innermost = self.scopes.pop();
        let made = make(self);
        self.scopes.extend(innermost);
        made
    }

    /// A parameter with this value, or now and then the one before it again.
    pub(crate) fn numbered(&mut self, value: Value) -> Parameter {
        // The same parameter has one type in all places, so that only numbers are used again.
        let again = matches!(value, Value::Integer(_)) && self.chance(3);
        Parameter { form: Form::Numbered { again }, value }
    }

    /// The columns of this type that can be seen, as they are written.
    pub(crate) fn column(&mut self, ty: Ty) -> Option<Tree> {
        let innermost = self.scopes.iter().rposition(|scope| !scope.items.is_empty())?;
        if self.local && innermost + 1 != self.scopes.len() {
            return None;
        }
        let at = if !self.local && self.chance(15) { self.below(innermost + 1) } else { innermost };
        let found = self.columns_of(at, ty);
        if found.is_empty() {
            return None;
        }
        let tree = self.pick(&found);
        Some(if at == innermost { tree } else { tree.mark(Feature::Correlated) })
    }

    fn columns_of(&mut self, at: usize, ty: Ty) -> Vec<Tree> {
        if let Some(keys) = &self.scopes[at].keys {
            return keys.iter().filter(|(_, of)| ty.takes(*of)).map(|(tree, _)| tree.clone()).collect();
        }
        let mut found = Vec::new();
        for item in self.scopes[at].items.clone() {
            if self.is_hidden(at, &item.alias) {
                continue;
            }
            for column in item.columns.iter().filter(|column| ty.takes(column.ty)) {
                found.push(self.written(at, &item, &column.name));
            }
        }
        found
    }

    /// Whether an item of an inner scope has the same alias.
    pub(crate) fn is_hidden(&self, at: usize, alias: &str) -> bool {
        self.scopes[at + 1..].iter().any(|scope| scope.items.iter().any(|item| item.alias == alias))
    }

    /// A column as it is written: `c`, `t.c` or `public.t.c`.
    pub(crate) fn written(&mut self, at: usize, item: &Item, column: &str) -> Tree {
        let name = self.name(column);
        if self.chance(35) && self.is_unambiguous(at, column) {
            return name;
        }
        let alias = self.name(&item.alias);
        let public = if item.in_public && self.chance(8) { "public." } else { "" };
        seq![public, alias, ".", name]
    }

    fn is_unambiguous(&self, at: usize, name: &str) -> bool {
        let occurs =
            |scope: &Scope| scope.items.iter().flat_map(|item| &item.columns).filter(|of| of.name == name).count();
        let scope = &self.scopes[at];
        let here = occurs(scope) == 1 || scope.merged.iter().any(|merged| merged == name);
        !scope.joining && here && self.scopes[at + 1..].iter().all(|inner| occurs(inner) == 0)
    }

    /// A name, sometimes between quotes.
    pub(crate) fn name(&mut self, name: &str) -> Tree {
        if name.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '_') && self.chance(92)
        {
            let name = if self.chance(4) { name.to_ascii_uppercase() } else { name.to_owned() };
            return Tree::from(name);
        }
        Tree::from(format!("\"{name}\"")).mark(Feature::OddQuoting)
    }

    /// A name that no other item of the innermost scope has.
    pub(crate) fn new_alias(&mut self) -> String {
        loop {
            let alias = match self.below(14) {
                0 => self.pick(&["users", "tags", "log"]).to_owned(),
                1 => "Odd name".to_owned(),
                _ => format!("{}{}", self.pick(&["a", "b", "t", "x"]), self.below(9)),
            };
            if !self.scopes.last().is_some_and(|scope| scope.has(&alias)) {
                return alias;
            }
        }
    }
}

impl Scope {
    pub(crate) fn has(&self, alias: &str) -> bool {
        self.items.iter().any(|item| item.alias == alias)
    }
}

pub(crate) fn cols(columns: &[(&str, Ty)]) -> Vec<Col> {
    columns.iter().map(|(name, ty)| Col { name: (*name).to_owned(), ty: *ty }).collect()
}
