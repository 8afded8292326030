//! Queries: `WITH`, set operations, `VALUES`.

use super::{
    Feature,
    draw::Draw,
    scope::Col,
    select::Order,
    tree::{Tree, seq},
};

/// What a query must be like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Want {
    /// How many columns.
    pub(crate) columns: Option<usize>,
    /// Whether the columns must have names that can be written.
    pub(crate) named: bool,
    /// Whether it has one row.
    pub(crate) single: bool,
    /// Whether it is the whole statement.
    pub(crate) top: bool,
}

impl Want {
    pub(crate) const fn columns(count: usize) -> Self {
        Self { columns: Some(count), named: false, single: false, top: false }
    }

    pub(crate) const NAMED: Self = Self { columns: None, named: true, single: false, top: false };
    pub(crate) const TOP: Self = Self { columns: None, named: false, single: false, top: true };
}

/// A query that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) tree: Tree,
    /// Its columns that can be named.
    pub(crate) columns: Vec<Col>,
    /// How many it has.
    pub(crate) width: usize,
}

impl Draw<'_> {
    /// A query.
    pub(crate) fn query(&mut self, want: Want) -> Made {
        self.fuel -= 3;
        let (ctes, windows, local) = (self.ctes.len(), self.named_windows, self.local);
        (self.named_windows, self.local) = (false, false);
        self.depth += 1;
        let made = self.plainly(|draw| {
            let percent = if want.top { 20 } else { 7 };
            let with = if !draw.is_tired() && draw.chance(percent) { draw.with() } else { Tree::NOTHING };
            let made = draw.body(want);
            Made { tree: seq![with, made.tree].query(), ..made }
        });
        self.depth -= 1;
        self.ctes.truncate(ctes);
        (self.named_windows, self.local) = (windows, local);
        made
    }

    fn body(&mut self, want: Want) -> Made {
        if want.single {
            return self.select(want, Order::None);
        }
        if !self.is_tired() && self.chance(if want.top { 12 } else { 8 }) {
            return self.compound(want);
        }
        if self.chance(5) {
            return self.values(want);
        }
        self.select(want, Order::Any)
    }

    fn compound(&mut self, want: Want) -> Made {
        let first = if self.chance(10) { self.values(want) } else { self.select(want, Order::None) };
        let width = first.width;
        let branches = 1 + self.below(2);
        let mut trees = Vec::new();
        for at in 0..branches {
            let operator = self.word(&[" UNION ALL ", " UNION ", " EXCEPT ", " INTERSECT ", " union all "]);
            let last = at + 1 == branches;
            let next = if !last && self.chance(10) {
                self.values(Want::columns(width))
            } else {
                let mut next = Want::columns(width);
                if self.chance(1) {
                    // A mistake.
                    next.columns = Some(width + 1);
                }
                self.select(next, Order::None)
            };
            trees.push(seq![operator, next.tree]);
        }
        let order = self.order_of_positions(width, want);
        let limit = self.limit(order.1, want);
        let tree = seq![first.tree, Tree::list(trees, "", 0), order.0, limit].mark(Feature::Compound);
        Made { tree, ..first }
    }

    /// `VALUES`.
    pub(crate) fn values(&mut self, want: Want) -> Made {
        let width = want.columns.unwrap_or(1 + self.below(3));
        let classes: Vec<_> = (0..width).map(|_| self.class()).collect();
        let rows = (0..1 + self.below(3)).map(|_| {
            let row =
                classes.iter().map(|class| if self.chance(80) { self.constant(*class) } else { self.expr(*class) });
            let row = row.collect();
            seq!["(", Tree::all(row), ")"]
        });
        let rows = rows.collect();
        let columns =
            classes.iter().enumerate().map(|(at, class)| Col { name: format!("column{}", at + 1), class: *class });
        Made {
            columns: columns.collect(),
            tree: seq!["VALUES ", Tree::list(rows, ", ", 1)].mark(Feature::Values),
            width,
        }
    }

    /// `ORDER BY` the positions of columns, and whether it makes the order total.
    pub(crate) fn order_of_positions(&mut self, width: usize, want: Want) -> (Tree, bool) {
        if !self.chance(if want.top { 45 } else { 30 }) {
            return (Tree::NOTHING, false);
        }
        let positions = |count: usize| (1..=count).map(|at| at.to_string());
        if self.chance(75) {
            let direction = self.pick(&["", "", " DESC", " NULLS LAST"]);
            let all: Vec<_> = positions(width).map(|at| at + direction).collect();
            let tree = seq![" ORDER BY ", all.join(", ")];
            let tree = if want.top { tree.mark(Feature::TotalOrder) } else { tree };
            return (tree.optional(), true);
        }
        let count = 1 + self.below(width);
        let all: Vec<_> = positions(count).collect();
        (seq![" ORDER BY ", all.join(", ")].optional(), false)
    }

    /// `LIMIT`, or nothing.
    pub(crate) fn limit(&mut self, ordered: bool, want: Want) -> Tree {
        if !self.chance(if want.top { 14 } else { 10 }) {
            return Tree::NOTHING;
        }
        // No column can be seen from here, not even of outer queries.
        let (count, offset) = self.blindly(|draw| (draw.plainly(Self::limit_term), draw.plainly(Self::limit_term)));
        let tree = match self.below(4) {
            0 => seq![" LIMIT ", count, seq![" OFFSET ", offset].optional()],
            1 => seq![" LIMIT ", offset, ", ", count],
            _ => seq![" LIMIT ", count],
        };
        if ordered { tree.optional() } else { tree.mark(Feature::LimitUnordered).optional() }
    }

    fn limit_term(&mut self) -> Tree {
        if self.chance(75) || self.is_tired() || self.depth >= 3 {
            return self.small();
        }
        let query = self.single();
        let tree = if self.chance(80) {
            seq!["coalesce(CAST((", query, ") AS INTEGER) % 5, 3)"]
        } else {
            seq!["(", query, ")"]
        };
        tree.expr().mark(Feature::SubqueryLimit)
    }
}
