//! Window functions.

use super::{
    Feature,
    draw::Draw,
    tree::{Tree, seq},
};
use crate::Class;

impl Draw<'_> {
    /// A window function with its window.
    pub(crate) fn window(&mut self) -> Tree {
        let tree = self.locally(|draw| {
            draw.plainly(|draw| {
                let call = draw.call();
                let over = if draw.named_windows && draw.chance(50) {
                    draw.word(&["w", "(w)"])
                } else {
                    let window = draw.window_definition(true);
                    seq!["(", window, ")"]
                };
                seq![call, " OVER ", over]
            })
        });
        tree.mark(Feature::Window)
    }

    fn call(&mut self) -> Tree {
        let of = self.leaf(Class::Integer);
        match self.below(6) {
            0 => self.word(&["row_number()", "rank()", "dense_rank()", "ntile(2)", "percent_rank()", "cume_dist()"]),
            1 => {
                let name = self.word(&["lag", "lead"]);
                seq![name, "(", of, ", 1, 0)"]
            }
            2 => {
                let name = self.word(&["first_value", "last_value"]);
                seq![name, "(", of, ")"]
            }
            3 => seq!["nth_value(", of, ", 2)"],
            4 => Tree::from("count(*)"),
            _ => {
                let name = self.word(&["sum", "min", "max", "count", "total"]);
                seq![name, "(", of, ")", self.filter()]
            }
        }
    }

    /// What stands between the parentheses after `OVER`.
    pub(crate) fn window_definition(&mut self, framed: bool) -> Tree {
        let partition = if self.chance(40) {
            let by = self.any_expr();
            seq!["PARTITION BY ", by, " "].optional()
        } else {
            Tree::NOTHING
        };
        let terms: Vec<_> = (0..1 + self.below(2)).map(|_| self.order_term()).collect();
        let frame = match self.below(8) {
            // A window that is named with a frame cannot be refined.
            _ if !framed => Tree::NOTHING,
            0 => Tree::from(" ROWS BETWEEN 1 PRECEDING AND CURRENT ROW"),
            1 => Tree::from(" GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE TIES"),
            2 => Tree::from(" RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"),
            3 => Tree::from(" ROWS 2 PRECEDING EXCLUDE CURRENT ROW"),
            _ => Tree::NOTHING,
        };
        seq![partition, "ORDER BY ", Tree::list(terms, ", ", 1), frame.optional()]
    }

    /// An expression of `ORDER BY`, with its direction. A number would be a position.
    pub(crate) fn order_term(&mut self) -> Tree {
        let class = self.class();
        // Columns of outer queries are not seen here.
        let by = match self.locally(|draw| draw.column(class)) {
            Some(column) if self.is_tired() || self.chance(70) => column,
            _ => {
                let by = self.locally(|draw| draw.expr(class));
                seq!["coalesce(", by, ", 1)"]
            }
        };
        let direction = self.word(&["", "", " DESC", " ASC", " NULLS LAST", " DESC NULLS FIRST", " COLLATE NOCASE"]);
        seq![by, direction]
    }
}
