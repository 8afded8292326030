//! The strategies of `proptest`, and how what they make gets smaller.

use std::{fmt, sync::Arc, vec};

use proptest::{
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::{Forms, Kind, Statement, draw::Draw, query::Want, tree::Tree};
use crate::Schema;

/// Random statements over `schema`.
pub fn statement(schema: &Arc<Schema>) -> Statements {
    Statements { schema: Arc::clone(schema), forms: Forms::default() }
}

/// Random statements over `schema` that are run one after the other: about `len` of them, some in transactions.
pub fn script(schema: &Arc<Schema>, len: usize) -> Script {
    Script { statements: statement(schema), len }
}

/// See [`statement`].
#[derive(Clone, Debug)]
pub struct Statements {
    schema: Arc<Schema>,
    forms: Forms,
}

impl Statements {
    /// Which forms of parameters there are.
    #[must_use]
    pub const fn forms(mut self, forms: Forms) -> Self {
        self.forms = forms;
        self
    }

    fn make(&self, runner: &mut TestRunner) -> Statement {
        let mut draw = Draw::new(&self.schema, self.forms, runner.rng());
        let mut statement = match draw.weighted(&[60, 17, 13, 9, 1]) {
            1 => draw.insert(),
            2 => draw.update(),
            3 => draw.delete(),
            4 => draw.transaction(),
            _ => Statement { kind: Kind::Query, tree: draw.query(Want::TOP).tree },
        };
        if draw.chance(2) {
            statement.tree = draw.broken(statement.tree);
        }
        statement
    }
}

impl Strategy for Statements {
    type Tree = StatementTree;
    type Value = Statement;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(StatementTree(Shrinking::new(self.make(runner))))
    }
}

/// See [`script`].
#[derive(Clone, Debug)]
pub struct Script {
    statements: Statements,
    len: usize,
}

impl Script {
    /// Which forms of parameters there are.
    #[must_use]
    pub const fn forms(mut self, forms: Forms) -> Self {
        self.statements.forms = forms;
        self
    }
}

impl Strategy for Script {
    type Tree = ScriptTree;
    type Value = Vec<Statement>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let mut script = Vec::with_capacity(self.len);
        let mut open = 0;
        while script.len() < self.len || open > 0 {
            let next = Draw::new(&self.statements.schema, self.statements.forms, runner.rng()).below(100);
            let (text, change) = match (open, next) {
                (0, 0..4) => (Some("BEGIN"), 1),
                (0, 4) => (Some("SAVEPOINT one"), 2),
                (1, 0..12) => (Some("COMMIT"), -1),
                (1, 12..20) => (Some("ROLLBACK"), -1),
                (1, 20..24) => (Some("SAVEPOINT one"), 0),
                (1, 24..28) => (Some("ROLLBACK TO one"), 0),
                (1, 28..30) => (Some("RELEASE one"), 0),
                (2, 0..10) => (Some("ROLLBACK TO one"), 0),
                (2, 10..35) => (Some("RELEASE one"), -2),
                _ => (None, 0),
            };
            open += change;
            script.push(match text {
                Some(text) => {
                    Statement { kind: Kind::Transaction, tree: Tree::from(text).mark(super::Feature::Transaction) }
                }
                None => self.statements.make(runner),
            });
        }
        Ok(ScriptTree::new(script))
    }
}

/// A statement that gets smaller.
#[derive(Debug)]
pub struct StatementTree(Shrinking<Statement>);

/// Several statements that get fewer and smaller.
#[derive(Debug)]
pub struct ScriptTree(Shrinking<Vec<Statement>>);

impl ScriptTree {
    pub(crate) fn new(script: Vec<Statement>) -> Self {
        Self(Shrinking::new(script))
    }
}

impl ValueTree for StatementTree {
    type Value = Statement;

    fn current(&self) -> Statement {
        self.0.current.clone()
    }

    fn simplify(&mut self) -> bool {
        self.0.simplify()
    }

    fn complicate(&mut self) -> bool {
        self.0.complicate()
    }
}

impl ValueTree for ScriptTree {
    type Value = Vec<Statement>;

    fn current(&self) -> Vec<Statement> {
        self.0.current.clone()
    }

    fn simplify(&mut self) -> bool {
        self.0.simplify()
    }

    fn complicate(&mut self) -> bool {
        self.0.complicate()
    }
}

/// What can be a step smaller.
trait Smaller: Sized {
    fn smaller(&self) -> Vec<Self>;
}

impl Smaller for Statement {
    fn smaller(&self) -> Vec<Self> {
        self.tree.smaller().into_iter().map(|tree| Self { kind: self.kind.clone(), tree }).collect()
    }
}

impl Smaller for Vec<Statement> {
    fn smaller(&self) -> Vec<Self> {
        let mut found = Vec::new();
        // Without half of them, a quarter, an eighth.
        let mut size = self.len() / 2;
        while size > 0 {
            for start in (0..self.len()).step_by(size) {
                let (before, rest) = self.split_at(start);
                found.push([before, rest.get(size..).unwrap_or_default()].concat());
            }
            size /= 2;
        }
        // The last one is what failed: the others are there for what they leave behind, and best left out.
        if let Some((last, before)) = self.split_last() {
            found.extend(last.smaller().into_iter().map(|last| [before, &[last]].concat()));
        }
        if self.len() <= 6 {
            for at in 0..self.len().saturating_sub(1) {
                for smaller in self[at].smaller() {
                    let mut script = self.clone();
                    script[at] = smaller;
                    found.push(script);
                }
            }
        }
        found
    }
}

/// Tries one smaller value after the other, and goes on from each that still fails.
struct Shrinking<T> {
    current: T,
    /// The smallest that failed so far.
    failed: T,
    candidates: vec::IntoIter<T>,
}

impl<T: Smaller + Clone> Shrinking<T> {
    fn new(value: T) -> Self {
        Self { current: value.clone(), failed: value, candidates: Vec::new().into_iter() }
    }

    /// The current value fails: what is smaller?
    fn simplify(&mut self) -> bool {
        self.failed = self.current.clone();
        self.candidates = self.failed.smaller().into_iter();
        self.next()
    }

    /// The current value does not fail: what else is smaller than the one that did?
    fn complicate(&mut self) -> bool {
        self.next()
    }

    fn next(&mut self) -> bool {
        if let Some(next) = self.candidates.next() {
            self.current = next;
            return true;
        }
        self.current = self.failed.clone();
        false
    }
}

impl<T: fmt::Debug> fmt::Debug for Shrinking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shrinking").field("current", &self.current).finish_non_exhaustive()
    }
}
