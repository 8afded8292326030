//! `SELECT` with its clauses.

use super::{
    Feature,
    draw::Draw,
    query::{Made, Want},
    scope::{Col, Scope, same},
    tree::{Tree, seq},
};
use crate::Class;

/// Whether a `SELECT` may have `ORDER BY` and `LIMIT`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    None,
    Any,
}

/// What kinds of expressions the result has.
#[derive(Clone, Copy)]
struct Shape {
    grouped: bool,
    aggregated: bool,
    windows: bool,
}

impl Draw<'_> {
    pub(crate) fn select(&mut self, want: Want, order: Order) -> Made {
        self.fuel -= 2;
        self.scopes.push(Scope::default());
        let from = if self.chance(93) { self.from() } else { Tree::NOTHING };
        let reads = from != Tree::NOTHING;
        let grouped = !want.single && reads && self.chance(13);
        let shape = Shape {
            grouped,
            aggregated: grouped || want.single || reads && self.chance(5),
            windows: reads && !want.single && self.chance(9),
        };
        let condition = if self.chance(50) {
            let condition = self.plainly(Self::condition);
            seq![" WHERE ", condition].optional()
        } else {
            Tree::NOTHING
        };
        let (group, keys) = if grouped { self.group() } else { (Tree::NOTHING, Vec::new()) };
        let window = if shape.windows && self.chance(40) {
            let definition = self.plainly(|draw| draw.window_definition(false));
            self.named_windows = true;
            seq![" WINDOW w AS (", definition, ")"].mark(Feature::NamedWindow)
        } else {
            Tree::NOTHING
        };
        let (results, columns, width) = self.results(want, shape, &keys);
        let distinct = if !want.single && self.chance(8) {
            Tree::from("DISTINCT ").optional().mark(Feature::Distinct)
        } else {
            self.word(&["", "", "", "", "", "", "ALL ", "/* all */ "])
        };
        let tail = if order == Order::Any { self.tail(want, shape, width) } else { Tree::NOTHING };
        self.named_windows = false;
        self.scopes.pop();
        let verb = self.word(&["SELECT ", "SELECT ", "select "]);
        let mut tree = seq![verb, distinct, results, from, condition, group, window, tail].mark(Feature::Select);
        if shape.aggregated && !want.single {
            tree = tree.mark(Feature::BareColumn);
        }
        Made { tree, columns, width }
    }

    /// `GROUP BY` and `HAVING`, and the keys.
    fn group(&mut self) -> (Tree, Vec<Tree>) {
        let count = 1 + self.below(2);
        let keys: Vec<_> = (0..count)
            .map(|_| {
                if !self.is_tired() && self.depth < 3 && self.chance(12) {
                    let query = self.plainly(Self::single);
                    return seq!["(", query, ")"].expr().mark(Feature::SubqueryGroup);
                }
                let class = self.class();
                // A number would be a position.
                let column = self.locally(|draw| draw.column(class));
                column.unwrap_or_else(|| Tree::from("'one'"))
            })
            .collect();
        let having = if self.chance(40) {
            let condition = self.allowing(true, false, Self::condition);
            seq![" HAVING ", condition].optional().mark(Feature::Having)
        } else {
            Tree::NOTHING
        };
        let listed = Tree::list(keys.clone(), ", ", 1);
        (seq![" GROUP BY ", listed, having].mark(Feature::GroupBy).optional(), keys)
    }

    /// The list of results, the columns that can be named, and how many columns there are.
    fn results(&mut self, want: Want, shape: Shape, keys: &[Tree]) -> (Tree, Vec<Col>, usize) {
        let odd = self.chance(5);
        let (star, star_width) = self
            .scopes
            .last()
            .filter(|scope| !scope.star_is_ambiguous || odd)
            .map(|scope| (scope.star.clone(), scope.star_width))
            .unwrap_or_default();
        let fits = |width: usize| want.columns.is_none_or(|wanted| wanted == width);
        if star_width > 0
            && !shape.aggregated
            && fits(star_width)
            && self.chance(if want.columns.is_none() { 25 } else { 60 })
        {
            return (Tree::from("*").mark(Feature::Star), unique(star), star_width);
        }
        let count = want.columns.unwrap_or_else(|| 1 + self.below(4));
        let (mut trees, mut columns, mut width) = (Vec::new(), Vec::new(), 0);
        if want.columns.is_none()
            && !shape.aggregated
            && self.chance(10)
            && let Some((tree, of, how_many)) = self.table_star()
        {
            trees.push(tree);
            columns.extend(of);
            width += how_many;
        }
        for at in 0..count {
            let (tree, column) = self.result(at, want, shape, keys);
            trees.push(tree);
            columns.extend(column);
        }
        width += count;
        let least = if want.columns.is_some() { trees.len() } else { 1 };
        (Tree::list(trees, ", ", least), unique(columns), width)
    }

    fn table_star(&mut self) -> Option<(Tree, Vec<Col>, usize)> {
        let items = self.scopes.last()?.items.clone();
        let item = if items.is_empty() { return None } else { self.pick(&items) };
        let alias = self.name(&item.alias?);
        Some((seq![alias, ".*"].mark(Feature::TableStar), item.columns, item.width))
    }

    fn result(&mut self, at: usize, want: Want, shape: Shape, keys: &[Tree]) -> (Tree, Option<Col>) {
        let class = self.class();
        let tree = if want.single || shape.aggregated && !shape.grouped && at == 0 {
            self.aggregate().expr()
        } else if shape.grouped && self.chance(45) {
            self.pick(keys)
        } else if shape.windows && at == 0 {
            self.window().expr()
        } else {
            let direct = !shape.aggregated && self.chance(45);
            let column = if direct { self.column(class) } else { None };
            column.unwrap_or_else(|| self.allowing(shape.aggregated, shape.windows, |draw| draw.expr(class)))
        };
        if !want.named && self.chance(70) {
            return (tree, None);
        }
        let name =
            if self.chance(85) { format!("c{at}") } else { self.pick(&["id", "name", "Odd", "two words"]).to_owned() };
        let written = self.declared(&name);
        let keyword = self.word(&[" AS ", " as ", " "]);
        (seq![tree, keyword, written], Some(Col { name, class }))
    }

    /// `ORDER BY` and `LIMIT`.
    fn tail(&mut self, want: Want, shape: Shape, width: usize) -> Tree {
        let (order, total) = if self.chance(22) {
            let terms = self.allowing(shape.aggregated, shape.windows, |draw| {
                (0..1 + draw.below(2)).map(|_| draw.order_by()).collect()
            });
            (seq![" ORDER BY ", Tree::list(terms, ", ", 1)].optional(), false)
        } else {
            self.order_of_positions(width, want)
        };
        let limit = self.limit(total, want);
        seq![order, limit]
    }

    fn order_by(&mut self) -> Tree {
        if !self.is_tired() && self.depth < 3 && self.chance(25) {
            let query = self.single();
            return seq!["(", query, ")"].expr().mark(Feature::SubqueryOrder);
        }
        if self.aggregates && self.chance(40) {
            return self.aggregate();
        }
        self.order_term()
    }

    /// A column of the class that an expression here can have.
    pub(crate) fn leaf_of(&mut self, classes: &[Class]) -> Tree {
        let class = self.pick(classes);
        self.leaf(class)
    }
}

/// The first of each name.
fn unique(columns: Vec<Col>) -> Vec<Col> {
    let mut found: Vec<Col> = Vec::new();
    for column in columns {
        if !found.iter().any(|known| same(&known.name, &column.name)) {
            found.push(column);
        }
    }
    found
}
