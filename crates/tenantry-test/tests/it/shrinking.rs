//! Statements that fail get small.

use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use tenantry_test::{Private, Schema, generate, standard};

use crate::catching::runner;

async fn schema() -> Arc<Schema> {
    let mut private = Private::open(standard::STATEMENTS, &[]).await.unwrap();
    Arc::new(Schema::read(private.connection()).await.unwrap())
}

/// The smallest that still `fails`.
fn shrunk<T: ValueTree>(mut tree: T, fails: impl Fn(&T::Value) -> bool) -> T::Value {
    assert!(fails(&tree.current()));
    let mut steps = 0;
    let mut failing = true;
    while steps < 20_000 && if failing { tree.simplify() } else { tree.complicate() } {
        failing = fails(&tree.current());
        steps += 1;
    }
    assert!(fails(&tree.current()), "what is left fails");
    tree.current()
}

#[tokio::test]
async fn a_statement_gets_small() {
    let schema = schema().await;
    let mut runner = runner(7);
    let has = |statement: &generate::Statement| statement.text().contains("count(*)");
    let mut seen = 0;
    while seen < 20 {
        let tree = generate::statement(&schema).new_tree(&mut runner).unwrap();
        let before = tree.current().text();
        if before.len() < 300 || !has(&tree.current()) {
            continue;
        }
        seen += 1;
        let after = shrunk(tree, has).text();
        assert!(after.len() < 200, "{before}\nbecame\n{after}");
    }
}

#[tokio::test]
async fn a_script_gets_short() {
    let schema = schema().await;
    let mut runner = runner(8);
    let fails = |script: &Vec<generate::Statement>| {
        let of = |kind: &str| script.iter().position(|statement| format!("{:?}", statement.kind()).starts_with(kind));
        of("Delete").is_some_and(|delete| of("Update").is_some_and(|update| update < delete))
    };
    let mut tree = generate::script(&schema, 40).new_tree(&mut runner).unwrap();
    while !fails(&tree.current()) {
        tree = generate::script(&schema, 40).new_tree(&mut runner).unwrap();
    }
    assert_eq!(shrunk(tree, fails).len(), 2);
}
