//! Aggregates and window functions.

use super::{Ty, draw::Draw};
use crate::generate::{
    Feature,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// An aggregate of this type.
    pub(crate) fn aggregate(&mut self, ty: Ty) -> Tree {
        let tree = self.locally(|draw| draw.plainly(|draw| draw.aggregate_of(ty)));
        tree.mark(Feature::Aggregate)
    }

    fn aggregate_of(&mut self, ty: Ty) -> Tree {
        // Queries in it may not see outer columns, and mostly do.
        let fuel = std::mem::replace(&mut self.fuel, 0);
        let filter = if self.chance(15) {
            let condition = self.condition();
            seq![" FILTER (WHERE ", condition, ")"].optional().mark(Feature::Filter)
        } else {
            Tree::NOTHING
        };
        let call = match ty {
            Ty::Int if self.chance(50) => {
                let of = self.ty();
                match self.below(3) {
                    0 => Tree::from("count(*)"),
                    1 => seq!["count(DISTINCT ", self.leaf(of), ")"],
                    _ => match self.whole_row() {
                        Some(row) => seq!["count(", row, ")"],
                        None => seq!["count(", self.leaf(of), ")"],
                    },
                }
            }
            Ty::Int if self.chance(40) => seq!["sum(", self.leaf(Ty::Int), ")"],
            Ty::Num => seq![self.word(&["sum(", "avg(", "max("]), self.leaf(Ty::Num), ")"],
            Ty::Text if self.chance(50) => self.ordered("string_agg(", Ty::Text, ", '/'"),
            Ty::Bool => seq![self.word(&["bool_and(", "bool_or(", "every("]), self.leaf(Ty::Bool), ")"],
            Ty::Jsonb => match self.whole_row().filter(|_| self.chance(40)) {
                Some(row) => {
                    let by = row.clone();
                    seq!["jsonb_agg(", row, " ORDER BY ", by, "::text)"]
                }
                None => self.ordered("jsonb_agg(", Ty::Text, ""),
            },
            Ty::Ints => self.ordered("array_agg(", Ty::Int, "").mark(Feature::Array),
            Ty::Texts => self.ordered("array_agg(", Ty::Text, "").mark(Feature::Array),
            _ => seq![self.word(&["min(", "max("]), self.leaf(ty), ")"],
        };
        self.fuel = fuel;
        let counts = ty == Ty::Int;
        // A count and a sum are of a type of their own.
        if counts { seq!["(", call, filter, ")::int"] } else { seq![call, filter] }
    }

    /// An aggregate that shows the order of its rows, unless it is told one.
    fn ordered(&mut self, call: &'static str, ty: Ty, rest: &'static str) -> Tree {
        // A parameter would be another one in ORDER BY.
        let of = self.column(ty).unwrap_or_else(|| Tree::from("NULL"));
        let of = seq![of, "::", ty.name()];
        if self.chance(92) {
            let by = of.clone();
            let distinct = self.word(&["", "", "DISTINCT "]);
            return seq![call, distinct, of, rest, " ORDER BY ", by, ")"];
        }
        seq![call, of, rest, ")"].mark(Feature::AggregateOrdered)
    }

    /// A window function of this type.
    pub(crate) fn window(&mut self, ty: Ty) -> Tree {
        self.plainly(|draw| {
            let call = match ty {
                Ty::Int => draw.word(&["row_number()", "rank()", "dense_rank()", "count(*)", "ntile(3)"]),
                _ => {
                    let of = seq!["(", draw.leaf(ty), ")::", ty.name()];
                    if draw.chance(30) { seq!["first_value(", of, ")"] } else { seq!["lag(", of, ")"] }
                }
            };
            let over = if draw.named_windows && draw.chance(50) {
                Tree::from(" OVER w").mark(Feature::NamedWindow)
            } else {
                let definition = draw.window_definition();
                seq![" OVER (", definition, ")"]
            };
            let tree = seq![call, over].mark(Feature::Window);
            if ty == Ty::Int { seq!["(", tree, ")::int"] } else { tree }
        })
    }

    /// What stands between the parentheses of `OVER`.
    pub(crate) fn window_definition(&mut self) -> Tree {
        let partition = if self.chance(50) {
            let ty = self.ty();
            let by = self.expr(ty);
            seq!["PARTITION BY ", by].optional()
        } else {
            Tree::NOTHING
        };
        let (a, b) = (self.ty(), self.ty());
        let (a, b) = (self.expr(a), self.leaf(b));
        let frame = self.word(&["", "", " ROWS UNBOUNDED PRECEDING", " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW"]);
        seq![partition, " ORDER BY ", a, ", ", b, frame]
    }
}
