//! The state of a statement that is being made: chance, the names in scope, and how large it may still grow.

use proptest::test_runner::TestRng;

use super::{
    chance::Chance,
    parameter::{Form, Forms, Parameter},
    scope::{Col, Cte, Scope},
    tree::Tree,
};
use crate::{Schema, Value, generate::Feature};

pub(crate) struct Draw<'a> {
    pub(crate) schema: &'a Schema,
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
    /// The scope whose joins are being made: names that come later could make unqualified ones ambiguous.
    pub(crate) joining: Option<usize>,
    style: Style,
}

/// Which parameters the statement has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Anonymous,
    Numbered,
    Mixed,
}

impl<'a> Draw<'a> {
    pub(crate) fn new(schema: &'a Schema, forms: Forms, rng: &'a mut TestRng) -> Self {
        let mut chance = Chance::new(rng);
        let (fuel, style) = (chance.number() % 45, chance.number() % 3);
        let style = match (forms, style) {
            (Forms::Sqlite, _) => Style::Mixed,
            (Forms::Sqlx, 0) => Style::Numbered,
            (Forms::Sqlx, _) => Style::Anonymous,
        };
        let fuel = i32::try_from(fuel).unwrap_or_default() + 4;
        let (scopes, ctes) = (Vec::new(), Vec::new());
        let (aggregates, windows, named_windows) = (false, false, false);
        Self {
            schema,
            chance,
            scopes,
            ctes,
            fuel,
            depth: 0,
            aggregates,
            windows,
            named_windows,
            local: false,
            joining: None,
            style,
        }
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

    pub(crate) fn is_tired(&self) -> bool {
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

    /// Makes something that sees no columns but those of the innermost scope.
    pub(crate) fn locally<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.local, true);
        let made = make(self);
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

    /// A parameter with this value.
    pub(crate) fn parameter(&mut self, value: Value) -> Tree {
        let form = match self.style {
            Style::Anonymous => Form::Anonymous,
            Style::Numbered => Form::Numbered { again: self.chance(15) },
            Style::Mixed => match self.below(6) {
                0 | 1 => Form::Anonymous,
                2 | 3 => Form::Numbered { again: self.chance(20) },
                _ => Form::Named(self.pick(&[":a", "@b", "$c", ":a1"]).to_owned()),
            },
        };
        let named = matches!(form, Form::Named(_));
        let tree = Tree::Parameter(Parameter { form, value }).mark(Feature::ParameterUse);
        if named { tree.mark(Feature::NamedParameter) } else { tree }
    }

    /// The columns that can be seen, of one item of one scope, and how the item is called.
    pub(crate) fn visible(&mut self) -> Option<(usize, usize)> {
        let filled: Vec<_> = (0..self.scopes.len()).filter(|at| !self.scopes[*at].items.is_empty()).collect();
        let innermost = *filled.last()?;
        if self.local && innermost + 1 != self.scopes.len() {
            return None;
        }
        let scope = if filled.len() > 1 && !self.local && self.chance(20) { self.pick(&filled) } else { innermost };
        Some((scope, self.below(self.scopes[scope].items.len())))
    }

    /// Whether an unqualified name means this column of this scope and nothing else.
    pub(crate) fn is_unambiguous(&self, scope: usize, name: &str) -> bool {
        if self.joining == Some(scope) {
            return false;
        }
        let inner = &self.scopes[scope + 1..];
        inner.iter().all(|scope| scope.occurs(name) == 0) && self.scopes[scope].occurs(name) == 1
    }

    /// A column that the innermost scopes show, if there is any.
    pub(crate) fn any_column(&mut self) -> Option<(usize, usize, Col)> {
        let (scope, item) = self.visible()?;
        let columns = self.scopes[scope].items[item].columns.clone();
        if columns.is_empty() {
            return None;
        }
        Some((scope, item, self.pick(&columns)))
    }
}
