//! A random statement, and what is known about it.

use std::{collections::BTreeSet, fmt};

use super::{
    Feature,
    parameter::{Form, Numbering},
    tree::Tree,
};
use crate::Value;

/// A statement. Displayed as its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub(crate) kind: Kind,
    pub(crate) tree: Tree,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// It reads.
    Query,
    /// It inserts into this table.
    Insert(String),
    /// It changes rows of this table.
    Update(String),
    /// It deletes rows of this table.
    Delete(String),
    /// It begins or ends a transaction or a savepoint.
    Transaction,
}

impl Kind {
    /// Whether it changes rows.
    pub const fn writes(&self) -> bool {
        matches!(self, Self::Insert(_) | Self::Update(_) | Self::Delete(_))
    }
}

impl Statement {
    /// A statement of one's own, without parameters. Nothing is known of its features.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, tree: Tree::from(text.into()) }
    }

    /// What it does.
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its text, as the application writes it.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// The text with all parameters as `?1`, `?2` and so on.
    pub fn numbered_text(&self) -> String {
        let (mut text, mut numbering) = (String::new(), Numbering::default());
        self.tree.render(&mut text, &mut |parameter| format!("?{}", numbering.next(parameter).0));
        text
    }

    /// The text with all parameters as `$1`, `$2` and so on.
    pub fn dollar_text(&self) -> String {
        let (mut text, mut numbering) = (String::new(), Numbering::default());
        self.tree.render(&mut text, &mut |parameter| format!("${}", numbering.next(parameter).0));
        text
    }

    /// The values of its parameters, by the numbers that SQLite gives them.
    pub fn arguments(&self) -> Vec<Value> {
        let mut numbering = Numbering::default();
        self.tree.render(&mut String::new(), &mut |parameter| numbering.next(parameter).1);
        numbering.arguments
    }

    /// Whether sqlx binds its parameters as SQLite numbers them: it has no names, and does not mix `?` with `?7`.
    pub fn binds_with_sqlx(&self) -> bool {
        let (mut anonymous, mut numbered, mut named) = (false, false, false);
        self.tree.walk(&mut |tree| {
            if let Tree::Parameter(parameter) = tree {
                match parameter.form {
                    Form::Anonymous => anonymous = true,
                    Form::Numbered { .. } => numbered = true,
                    Form::Named(_) => named = true,
                }
            }
        });
        !(named || anonymous && numbered)
    }

    /// What it makes use of.
    pub fn features(&self) -> BTreeSet<Feature> {
        self.tree.features()
    }

    /// Whether all columns of the result are in its `ORDER BY`, so that rows that are equal there are equal.
    pub fn order_is_total(&self) -> bool {
        self.features().contains(&Feature::TotalOrder)
    }

    /// Whether nothing in it depends on the order in which rows are met, as far as its form tells.
    pub fn is_deterministic(&self) -> bool {
        !self.features().into_iter().any(Feature::depends_on_order)
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut text, mut numbering) = (String::new(), Numbering::default());
        self.tree.render(&mut text, &mut |parameter| numbering.next(parameter).1);
        f.write_str(&text)
    }
}
