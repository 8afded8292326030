//! The strategy of `proptest`. What it makes gets smaller as statements for SQLite do.

use proptest::{
    strategy::{NewTree, Strategy},
    test_runner::TestRunner,
};

use super::{draw::Draw, query::Want};
use crate::generate::{Kind, ScriptTree, Statement};

/// Random statements that are run one after the other: `len` of them.
pub const fn script(len: usize) -> Script {
    Script { len }
}

/// See [`script`].
#[derive(Clone, Debug)]
pub struct Script {
    len: usize,
}

impl Strategy for Script {
    type Tree = ScriptTree;
    type Value = Vec<Statement>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let script = (0..self.len).map(|_| make(&mut Draw::new(runner.rng()))).collect();
        Ok(ScriptTree::new(script))
    }
}

fn make(draw: &mut Draw<'_>) -> Statement {
    match draw.weighted(&[62, 15, 11, 8, 4]) {
        1 => draw.insert(),
        2 => draw.update(),
        3 => draw.delete(),
        4 => draw.merge(),
        _ => {
            let tree = draw.query(&Want::top()).tree;
            Statement { kind: Kind::Query, tree }
        }
    }
}
