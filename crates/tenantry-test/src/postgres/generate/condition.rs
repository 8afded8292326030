//! Conditions.

use super::{Ty, draw::Draw, query::Want};
use crate::generate::{
    Feature,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// A condition.
    pub(crate) fn condition(&mut self) -> Tree {
        self.fuel -= 1;
        if self.is_tired() {
            let ty = self.ty();
            let (left, operator, right) = (self.leaf(ty), self.compare(), self.constant(ty));
            return seq![left, operator, right].expr();
        }
        let tree = match self.weighted(&[34, 14, 8, 8, 6, 10, 6, 16, 8, 6]) {
            0 => self.comparison(),
            1 => {
                let operator = self.pick(&[" AND ", " OR "]);
                let parts = (0..2 + self.below(2)).map(|_| self.condition()).map(|part| seq!["(", part, ")"]).collect();
                Tree::list(parts, operator, 1)
            }
            2 => {
                let inner = self.condition();
                seq!["NOT (", inner, ")"]
            }
            3 => self.is(),
            4 => {
                let ty = self.pick(&[Ty::Int, Ty::Text, Ty::Num, Ty::Time]);
                let (of, low, high) = (self.expr(ty), self.leaf(ty), self.leaf(ty));
                seq![of, " BETWEEN ", low, " AND ", high].mark(Feature::Between)
            }
            5 => {
                let ty = self.ty();
                let (of, not) = (self.expr(ty), self.word(&["", "", " NOT"]));
                let list = (0..1 + self.below(3)).map(|_| self.leaf(ty)).collect();
                seq![of, not, " IN (", Tree::list(list, ", ", 1), ")"].mark(Feature::InList)
            }
            6 => {
                let (of, pattern) = (self.expr(Ty::Text), self.word(&["'a%'", "'%b%'", "'_'", "'%'"]));
                let like = self.word(&[" LIKE ", " NOT LIKE ", " ILIKE ", " ~ "]);
                seq![of, like, pattern].mark(Feature::Like)
            }
            7 if self.may_nest() => self.of_query(),
            8 => self.contains(),
            _ => {
                let ty = self.pick(&[Ty::Int, Ty::Text]);
                let row = |draw: &mut Self| vec![draw.expr(ty), draw.leaf(Ty::Int)];
                let (left, operator, right) = (row(self), self.compare(), row(self));
                seq!["(", Tree::all(left), ")", operator, "(", Tree::all(right), ")"].mark(Feature::RowValue)
            }
        };
        tree.expr()
    }

    fn compare(&mut self) -> Tree {
        self.word(&[" = ", " = ", " <> ", " < ", " <= ", " > ", " >= "])
    }

    pub(crate) fn comparison(&mut self) -> Tree {
        let ty = self.ty();
        let (left, operator, right) = (self.expr(ty), self.compare(), self.expr(ty));
        seq![left, operator, right]
    }

    fn is(&mut self) -> Tree {
        let ty = self.ty();
        let tree = match self.below(4) {
            0 => {
                let of = self.leaf(Ty::Bool);
                let test = self.word(&[" IS TRUE", " IS NOT TRUE", " IS UNKNOWN"]);
                seq![of, test]
            }
            1 => {
                let (left, right) = (self.expr(ty), self.leaf(ty));
                let operator = self.word(&[" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "]);
                seq![left, operator, right]
            }
            2 => match self.whole_row() {
                Some(row) => seq![row, self.word(&[" IS NULL", " IS NOT NULL", " IS DISTINCT FROM NULL"])],
                None => Tree::from("true"),
            },
            _ => {
                let of = self.expr(ty);
                seq![of, self.word(&[" IS NULL", " IS NOT NULL"])]
            }
        };
        tree.mark(Feature::Is)
    }

    /// What arrays and documents contain.
    fn contains(&mut self) -> Tree {
        match self.below(4) {
            0 => {
                let (one, of) = (self.leaf(Ty::Int), self.leaf(Ty::Ints));
                seq![one, self.word(&[" = ANY (", " < ALL ("]), of, ")"].mark(Feature::Array)
            }
            1 => {
                let (left, right) = (self.leaf(Ty::Texts), self.constant(Ty::Texts));
                seq![left, self.word(&[" @> ", " && ", " <@ "]), right].mark(Feature::Array)
            }
            2 => {
                let (left, right) = (self.leaf(Ty::Jsonb), self.constant(Ty::Jsonb));
                seq![left, " @> ", right].mark(Feature::Json)
            }
            _ => {
                let of = self.leaf(Ty::Jsonb);
                seq!["(", of, " ? 'a')"].mark(Feature::Json)
            }
        }
    }

    /// `EXISTS`, `IN (SELECT …)`, `ANY (SELECT …)`.
    fn of_query(&mut self) -> Tree {
        if self.chance(40) {
            let query = self.query(&Want::default());
            let not = self.word(&["", "", "NOT "]);
            return seq![not, "EXISTS (", query.tree, ")"].mark(Feature::Exists);
        }
        let ty = self.pick(&[Ty::Int, Ty::Int, Ty::Text, Ty::Mood]);
        if self.chance(25) {
            let (of, query) = (self.leaf(ty), self.query(&Want::types(vec![ty])));
            let operator = self.word(&[" = ANY (", " <> ALL (", " < ANY (", " = SOME ("]);
            return seq![of, operator, query.tree, ")"].mark(Feature::AnyQuery);
        }
        let not = self.word(&["", "", " NOT"]);
        if self.chance(15) {
            let (a, b) = (self.leaf(ty), self.leaf(Ty::Int));
            let query = self.query(&Want::types(vec![ty, Ty::Int]));
            return seq!["(", a, ", ", b, ")", not, " IN (", query.tree, ")"].mark(Feature::InQuery);
        }
        let (of, query) = (self.leaf(ty), self.query(&Want::types(vec![ty])));
        seq![of, not, " IN (", query.tree, ")"].mark(Feature::InQuery)
    }
}
