//! Statements as trees of text: they can be shown, and made smaller, by somebody who does not know SQL.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use super::{Feature, parameter::Parameter};

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Text(Cow<'static, str>),
    Seq(Vec<Tree>),
    /// Pieces with something between them, of which some can be left out.
    List {
        items: Vec<Tree>,
        separator: &'static str,
        least: usize,
    },
    /// Can be left out.
    Optional(Box<Tree>),
    /// Stands where any other expression could.
    Expr(Box<Tree>),
    /// Stands where any other query could.
    Query(Box<Tree>),
    Parameter(Parameter),
    Mark(Feature, Box<Tree>),
}

/// The pieces one after the other.
macro_rules! seq {
    ($($piece:expr),* $(,)?) => { $crate::generate::tree::Tree::Seq(vec![$($crate::generate::tree::Tree::from($piece)),*]) };
}
pub(crate) use seq;

impl Tree {
    pub(crate) const NOTHING: Self = Self::Text(Cow::Borrowed(""));

    pub(crate) fn optional(self) -> Self {
        Self::Optional(Box::new(self))
    }

    pub(crate) fn expr(self) -> Self {
        Self::Expr(Box::new(self))
    }

    pub(crate) fn query(self) -> Self {
        Self::Query(Box::new(self))
    }

    pub(crate) fn mark(self, feature: Feature) -> Self {
        Self::Mark(feature, Box::new(self))
    }

    pub(crate) const fn list(items: Vec<Self>, separator: &'static str, least: usize) -> Self {
        Self::List { items, separator, least }
    }

    /// Items that are separated by commas, and of which none can be left out.
    pub(crate) fn all(items: Vec<Self>) -> Self {
        Self::List { least: items.len(), items, separator: ", " }
    }

    /// Calls `see` with every piece, in the order of the text.
    pub(crate) fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match self {
            Self::Text(_) | Self::Parameter(_) => {}
            Self::Seq(items) | Self::List { items, .. } => items.iter().for_each(|item| item.walk(see)),
            Self::Optional(inner) | Self::Expr(inner) | Self::Query(inner) | Self::Mark(_, inner) => inner.walk(see),
        }
    }

    pub(crate) fn features(&self) -> BTreeSet<Feature> {
        let mut features = BTreeSet::new();
        self.walk(&mut |tree| {
            if let Self::Mark(feature, _) = tree {
                features.insert(*feature);
            }
        });
        features
    }

    /// The text, with each parameter as `show` shows it.
    pub(crate) fn render(&self, text: &mut String, show: &mut impl FnMut(&Parameter) -> String) {
        match self {
            Self::Text(words) => text.push_str(words),
            Self::Parameter(parameter) => text.push_str(&show(parameter)),
            Self::Seq(items) => items.iter().for_each(|item| item.render(text, show)),
            Self::List { items, separator, .. } => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push_str(separator);
                    }
                    item.render(text, show);
                }
            }
            Self::Optional(inner) | Self::Expr(inner) | Self::Query(inner) | Self::Mark(_, inner) => {
                inner.render(text, show);
            }
        }
    }

    /// Trees that are a step smaller, the boldest steps first.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut found = Vec::new();
        match self {
            Self::Text(_) => {}
            Self::Parameter(parameter) => found.extend(parameter.smaller().map(Self::Parameter)),
            Self::Seq(items) => found.extend(inside(items, Self::Seq)),
            Self::List { items, separator, least } => {
                let with = |items| Self::List { items, separator, least: *least };
                let half = items.len() / 2;
                if half > 1 && half >= *least {
                    found.extend([with(items[..half].to_vec()), with(items[half..].to_vec())]);
                }
                if items.len() > *least {
                    found.extend((0..items.len()).map(|at| {
                        let others = items.iter().enumerate().filter(|(other, _)| *other != at);
                        with(others.map(|(_, item)| item.clone()).collect())
                    }));
                }
                found.extend(inside(items, with));
            }
            Self::Optional(inner) => {
                found.push(Self::NOTHING);
                found.extend(inner.smaller().into_iter().map(Self::optional));
            }
            Self::Expr(inner) => {
                if !matches!(**inner, Self::Text(_)) {
                    found.extend([Self::from("1").expr(), Self::from("NULL").expr()]);
                    inner.nearest(&|tree| matches!(tree, Self::Expr(_)), &mut found);
                }
                found.extend(inner.smaller().into_iter().map(Self::expr));
            }
            Self::Query(inner) => {
                inner.nearest(&|tree| matches!(tree, Self::Query(_)), &mut found);
                found.extend(inner.smaller().into_iter().map(Self::query));
            }
            Self::Mark(feature, inner) => {
                found.extend(inner.smaller().into_iter().map(|tree| tree.mark(*feature)));
            }
        }
        found
    }

    /// The topmost pieces that are wanted.
    fn nearest(&self, wanted: &impl Fn(&Self) -> bool, found: &mut Vec<Self>) {
        if wanted(self) {
            found.push(self.clone());
            return;
        }
        match self {
            Self::Text(_) | Self::Parameter(_) => {}
            Self::Seq(items) | Self::List { items, .. } => items.iter().for_each(|item| item.nearest(wanted, found)),
            Self::Optional(inner) | Self::Expr(inner) | Self::Query(inner) | Self::Mark(_, inner) => {
                inner.nearest(wanted, found);
            }
        }
    }
}

/// Each item in turn made smaller, with the others as they are.
fn inside(items: &[Tree], with: impl Fn(Vec<Tree>) -> Tree) -> Vec<Tree> {
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        for smaller in item.smaller() {
            let mut items = items.to_vec();
            items[at] = smaller;
            found.push(with(items));
        }
    }
    found
}

impl From<&'static str> for Tree {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Tree {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// With parameters as the application would write them if it only used `?`.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.render(&mut text, &mut |_| "?".to_owned());
        f.write_str(&text)
    }
}
