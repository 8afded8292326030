//! Mistakes, put into statements that had none.

use super::{Feature, draw::Draw, tree::Tree};

impl Draw<'_> {
    /// Makes a mistake at some place.
    pub(crate) fn broken(&mut self, mut tree: Tree) -> Tree {
        let mut places = 0;
        tree.walk(&mut |piece| places += usize::from(matches!(piece, Tree::Expr(_))));
        let text = self.word(&[
            "no_such_column",
            "nowhere.id",
            "count(*)",
            "(SELECT 1, 2)",
            "no_such_function(1)",
            "(",
            "(SELECT * FROM no_such_table)",
            "'open",
            "1 2",
            "abs()",
        ]);
        if places == 0 {
            return Tree::Seq(vec![tree, text]).mark(Feature::Broken);
        }
        let mut at = self.below(places);
        replace(&mut tree, &mut at, &text);
        tree.mark(Feature::Broken)
    }
}

/// Replaces the expression at this place. Says whether it was found.
fn replace(tree: &mut Tree, at: &mut usize, by: &Tree) -> bool {
    if matches!(tree, Tree::Expr(_)) {
        if *at == 0 {
            *tree = by.clone();
            return true;
        }
        *at -= 1;
    }
    match tree {
        Tree::Text(_) | Tree::Parameter(_) => false,
        Tree::Seq(items) | Tree::List { items, .. } => items.iter_mut().any(|item| replace(item, at, by)),
        Tree::Optional(inner) | Tree::Expr(inner) | Tree::Query(inner) | Tree::Mark(_, inner) => replace(inner, at, by),
    }
}
