//! Queries: `WITH`, set operations, `VALUES`.

use super::{
    Ty,
    draw::{Col, Draw},
};
use crate::generate::{
    Feature,
    tree::{Tree, seq},
};

/// What a query must be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Want {
    /// The types of its columns.
    pub(crate) types: Option<Vec<Ty>>,
    /// Whether all columns must have names.
    pub(crate) named: bool,
    /// Whether it has one row.
    pub(crate) single: bool,
    /// Whether it is the whole statement.
    pub(crate) top: bool,
    /// Whether its rows must be in an order, since it is seen.
    pub(crate) in_order: bool,
}

impl Want {
    pub(crate) fn types(types: Vec<Ty>) -> Self {
        Self { types: Some(types), ..Self::default() }
    }

    pub(crate) fn named() -> Self {
        Self { named: true, ..Self::default() }
    }

    pub(crate) fn top() -> Self {
        Self { top: true, ..Self::default() }
    }

    pub(crate) fn in_order(self) -> Self {
        Self { in_order: true, ..self }
    }
}

/// A query that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) tree: Tree,
    /// Its columns, as far as they are known.
    pub(crate) columns: Vec<Col>,
    /// How many it has, if that is known.
    pub(crate) width: Option<usize>,
}

impl Draw<'_> {
    /// A query.
    pub(crate) fn query(&mut self, want: &Want) -> Made {
        self.fuel -= 3;
        let (ctes, windows, local) = (self.ctes.len(), self.named_windows, self.local);
        (self.named_windows, self.local) = (false, false);
        self.depth += 1;
        let made = self.plainly(|draw| {
            let with = if draw.may_nest() && draw.chance(if want.top { 22 } else { 6 }) {
                draw.with(want.top)
            } else {
                Tree::NOTHING
            };
            let made = draw.body(want);
            Made { tree: seq![with, made.tree].query(), ..made }
        });
        self.depth -= 1;
        self.ctes.truncate(ctes);
        (self.named_windows, self.local) = (windows, local);
        made
    }

    fn body(&mut self, want: &Want) -> Made {
        if !want.single {
            if !self.is_tired() && self.chance(if want.top { 12 } else { 7 }) {
                return self.compound(want);
            }
            if self.chance(4) {
                return self.values(want);
            }
        }
        self.select(want, true)
    }

    fn compound(&mut self, want: &Want) -> Made {
        let types = match &want.types {
            Some(types) => types.clone(),
            None => (0..1 + self.below(3)).map(|_| self.ty()).collect(),
        };
        let branch = Want { types: Some(types.clone()), named: want.named, ..Want::default() };
        let first = self.branch(&branch);
        let mut trees = Vec::new();
        for _ in 0..1 + self.below(2) {
            let operator = self.word(&[" UNION ALL ", " UNION ", " EXCEPT ", " INTERSECT ", " EXCEPT ALL "]);
            let next = self.branch(&branch);
            trees.push(seq![operator, next.tree]);
        }
        let (order, total) = self.order_of_positions(types.len(), want);
        let limit = self.limit(total, want);
        let tree = seq![first.tree, Tree::list(trees, "", 0), order, limit].mark(Feature::Compound);
        Made { tree, ..first }
    }

    /// A branch of a set operation, whose columns have their types by themselves.
    fn branch(&mut self, want: &Want) -> Made {
        if self.chance(8) {
            return self.values(want);
        }
        let made = self.select(want, false);
        if !self.chance(8) {
            return made;
        }
        let (order, total) = self.order_of_positions(made.width.unwrap_or(1), want);
        let limit = self.limit(total, want);
        Made { tree: seq!["(", made.tree, order, limit, ")"], ..made }
    }

    /// `VALUES`.
    pub(crate) fn values(&mut self, want: &Want) -> Made {
        let types = match &want.types {
            Some(types) => types.clone(),
            None => (0..1 + self.below(3)).map(|_| self.ty()).collect(),
        };
        let rows = (0..1 + self.below(3)).map(|_| {
            let row = types.iter().map(|ty| {
                let value = if self.chance(80) { self.constant(*ty) } else { self.expr(*ty) };
                seq!["(", value, ")::", ty.name()]
            });
            let row = row.collect();
            seq!["(", Tree::all(row), ")"]
        });
        let rows = rows.collect();
        let columns = types.iter().enumerate().map(|(at, ty)| Col { name: format!("column{}", at + 1), ty: *ty });
        Made {
            columns: columns.collect(),
            width: Some(types.len()),
            tree: seq!["VALUES ", Tree::list(rows, ", ", 1)].mark(Feature::Values),
        }
    }

    /// `ORDER BY` the positions of columns, and whether it makes the order total.
    pub(crate) fn order_of_positions(&mut self, width: usize, want: &Want) -> (Tree, bool) {
        let all = want.in_order || self.chance(if want.top { 40 } else { 20 });
        if !all && !self.chance(10) {
            return (Tree::NOTHING, false);
        }
        let count = if all { width } else { 1 + self.below(width) };
        let direction = self.pick(&["", "", " DESC", " NULLS FIRST"]);
        let terms: Vec<_> = (1..=count).map(|at| format!("{at}{direction}")).collect();
        let tree = seq![" ORDER BY ", terms.join(", ")];
        let tree = if all && want.top { tree.mark(Feature::TotalOrder) } else { tree };
        (if want.in_order { tree } else { tree.optional() }, all)
    }

    /// `LIMIT`, or nothing.
    pub(crate) fn limit(&mut self, ordered: bool, want: &Want) -> Tree {
        if !self.chance(if want.top { 12 } else { 6 }) {
            return Tree::NOTHING;
        }
        // No column can be seen from here, not even of outer queries.
        let (count, offset) = self.blindly(|draw| (draw.plainly(Self::limit_term), draw.plainly(Self::limit_term)));
        let tree = match self.below(5) {
            0 => seq![" LIMIT ", count, seq![" OFFSET ", offset].optional()],
            1 => seq![" OFFSET ", offset, " LIMIT ", count],
            2 => seq![" FETCH FIRST ", self.small(), " ROWS ONLY"],
            _ => seq![" LIMIT ", count],
        };
        if ordered { tree.optional() } else { tree.mark(Feature::LimitUnordered).optional() }
    }

    fn limit_term(&mut self) -> Tree {
        if !self.may_nest() || self.chance(65) {
            return self.small();
        }
        let query = self.query(&Want { single: true, ..Want::types(vec![Ty::Int]) });
        seq!["coalesce(abs((", query.tree, ")) % 5, 3)"].expr().mark(Feature::SubqueryLimit)
    }
}
