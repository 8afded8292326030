//! Operators and predicates. They are put between parentheses, so that they mean the same wherever they stand.

use super::{
    Feature,
    draw::Draw,
    tree::{Tree, seq},
};
use crate::Class;

impl Draw<'_> {
    /// An expression with an operator at its top.
    pub(crate) fn operator(&mut self, class: Class) -> Tree {
        match self.weighted(&[30, 25, 10, 8, 8, 6, 6]) {
            0 => self.binary(class),
            1 => {
                let predicate = self.predicate();
                seq!["(", predicate, ")"]
            }
            2 => self.case(class),
            3 => {
                let inner = self.expr(class);
                let into = self.word(&["INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC", "VARCHAR(10)"]);
                seq!["CAST(", inner, " AS ", into, ")"].mark(Feature::Cast)
            }
            4 => {
                let inner = self.expr(class);
                let collation = self.word(&["NOCASE", "BINARY", "RTRIM", "nocase"]);
                seq!["(", inner, " COLLATE ", collation, ")"].mark(Feature::Collate)
            }
            5 => {
                let operator = self.word(&["-", "~", "+", "NOT "]);
                let inner = self.expr(class);
                seq!["(", operator, "(", inner, "))"]
            }
            _ => {
                let document = self.expr(Class::Json);
                let (arrow, path) = (self.word(&[" -> ", " ->> "]), self.word(&["'$.a'", "'b'", "0", "'$[1]'"]));
                seq!["(", document, arrow, path, ")"].mark(Feature::Json)
            }
        }
    }

    fn binary(&mut self, class: Class) -> Tree {
        let operator = match class {
            Class::Text | Class::Json => " || ",
            Class::Blob => self.pick(&[" || ", " + "]),
            Class::Integer | Class::Real => {
                self.pick(&[" + ", " - ", " * ", " / ", " % ", "+", " & ", " | ", " << ", " >> "])
            }
        };
        let (left, right) = (self.expr(class), self.expr(class));
        seq!["(", left, operator, right, ")"]
    }

    fn case(&mut self, class: Class) -> Tree {
        let operand = if self.chance(40) {
            let operand = self.expr(class);
            seq![" ", operand]
        } else {
            Tree::NOTHING
        };
        let simple = operand == Tree::NOTHING;
        let count = 1 + self.below(2);
        let mut arms = Vec::new();
        for _ in 0..count {
            let when = if simple { self.condition() } else { self.expr(class) };
            let then = self.expr(class);
            arms.push(seq![" WHEN ", when, " THEN ", then]);
        }
        let otherwise = self.expr(class);
        seq!["CASE", operand, Tree::list(arms, "", 1), seq![" ELSE ", otherwise].optional(), " END"].mark(Feature::Case)
    }

    /// A condition, not between parentheses.
    pub(crate) fn predicate(&mut self) -> Tree {
        let class = self.class();
        match self.weighted(&[30, 14, 8, 8, 8, 10, 8, 8, 6]) {
            0 => {
                let operator = self.word(&[" = ", " == ", " <> ", " != ", " < ", " <= ", " > ", " >= "]);
                let (left, right) = (self.expr(class), self.expr(class));
                seq![left, operator, right]
            }
            1 => {
                let operator = self.pick(&[" AND ", " OR "]);
                let parts = (0..2 + self.below(2)).map(|_| self.condition()).map(|part| seq!["(", part, ")"]).collect();
                Tree::list(parts, operator, 1)
            }
            2 => {
                let (left, right) = (self.expr(class), self.expr(class));
                let operator = self.word(&[" IS ", " IS NOT ", " IS NOT DISTINCT FROM ", " IS DISTINCT FROM "]);
                seq![left, operator, right].mark(Feature::Is)
            }
            3 => {
                let left = self.expr(class);
                let operator = self.word(&[" ISNULL", " NOTNULL", " IS NULL", " IS NOT NULL", " NOT NULL", " IS TRUE"]);
                seq![left, operator].mark(Feature::Is)
            }
            4 => {
                let (left, low, high) = (self.expr(class), self.expr(class), self.expr(class));
                let not = self.word(&["", " NOT"]);
                seq![left, not, " BETWEEN ", low, " AND ", high].mark(Feature::Between)
            }
            5 => {
                let left = self.expr(class);
                let not = self.word(&["", "", " NOT"]);
                let count = self.below(4);
                let list = (0..count).map(|_| self.expr(class)).collect();
                seq![left, not, " IN (", Tree::list(list, ", ", 0), ")"].mark(Feature::InList)
            }
            6 => self.like(),
            7 => self.in_query(),
            _ => {
                let count = 2 + self.below(2);
                let (left, right) = (self.exprs(count), self.exprs(count));
                let operator = self.word(&[" = ", " < ", " >= ", " IS ", " <> "]);
                seq!["(", Tree::all(left), ")", operator, "(", Tree::all(right), ")"].mark(Feature::RowValue)
            }
        }
    }

    fn like(&mut self) -> Tree {
        let left = self.expr(Class::Text);
        let not = self.word(&["", " NOT"]);
        let tree = if self.chance(30) {
            let pattern = self.word(&["'a*'", "'[a-c]'", "'?'", "'*'"]);
            seq![left, not, " GLOB ", pattern]
        } else if self.chance(20) {
            seq![left, not, " LIKE 'a\\_%' ESCAPE '\\'"]
        } else {
            let pattern = self.word(&["'a%'", "'%b%'", "'_'", "'%'"]);
            seq![left, not, " LIKE ", pattern]
        };
        tree.mark(Feature::Like)
    }
}
