//! Expressions, each of a wanted type.

use super::{Ty, draw::Draw, query::Want};
use crate::generate::{
    Feature,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// An expression of this type.
    pub(crate) fn expr(&mut self, ty: Ty) -> Tree {
        self.fuel -= 1;
        let tree = if self.is_tired() {
            self.leaf(ty)
        } else if self.aggregates && self.chance(35) {
            self.aggregate(ty)
        } else if self.windows && self.chance(18) {
            self.window(ty)
        } else {
            match self.weighted(&[46, 36, 7, 11]) {
                0 => self.leaf(ty),
                1 => self.operator(ty),
                2 => self.general(ty),
                _ => self.subquery(ty),
            }
        };
        tree.expr()
    }

    /// A column, if there is one, or a constant.
    pub(crate) fn leaf(&mut self, ty: Ty) -> Tree {
        if self.chance(78)
            && let Some(column) = self.column(ty)
        {
            return column;
        }
        self.constant(ty)
    }

    /// What can be of any type.
    fn general(&mut self, ty: Ty) -> Tree {
        if ty == Ty::Mood {
            // Literals alone would be text.
            return self.column(ty).unwrap_or_else(|| self.constant(ty));
        }
        match self.below(4) {
            0 => {
                let (a, b) = (self.expr(ty), self.expr(ty));
                seq!["coalesce(", a, ", ", b, ")"]
            }
            1 => {
                let (a, b) = (self.leaf(ty), self.leaf(ty));
                seq!["nullif(", a, ", ", b, ")"]
            }
            _ => self.case(ty),
        }
    }

    fn case(&mut self, ty: Ty) -> Tree {
        if self.chance(35) {
            let of = self.ty();
            let (operand, when, then) = (self.expr(of), self.leaf(of), self.expr(ty));
            let otherwise = self.leaf(ty);
            return seq!["CASE ", operand, " WHEN ", when, " THEN ", then, " ELSE ", otherwise, " END"]
                .mark(Feature::Case);
        }
        let (when, then, otherwise) = (self.condition(), self.expr(ty), self.leaf(ty));
        seq!["CASE WHEN ", when, " THEN ", then, seq![" ELSE ", otherwise].optional(), " END"].mark(Feature::Case)
    }

    /// An expression with an operator or a function at its top.
    fn operator(&mut self, ty: Ty) -> Tree {
        match ty {
            Ty::Int => self.of_integer(),
            Ty::Num => self.of_numeric(),
            Ty::Text | Ty::Digits | Ty::Doc => self.of_text(),
            Ty::Bool => {
                let condition = self.condition();
                seq!["(", condition, ")"]
            }
            Ty::Time => self.of_time(),
            Ty::Jsonb => self.of_jsonb(),
            Ty::Ints => self.of_ints(),
            Ty::Texts => self.of_texts(),
            Ty::Mood => self.leaf(ty),
        }
    }

    fn of_integer(&mut self) -> Tree {
        match self.below(14) {
            0..5 => {
                let operator = self.pick(&[" + ", " - ", " * ", " / ", " % "]);
                let (left, right) = (self.expr(Ty::Int), self.expr(Ty::Int));
                seq!["(", left, operator, right, ")"]
            }
            5 => {
                let of = self.expr(Ty::Text);
                seq!["length(", of, ")"]
            }
            6 => {
                let of = self.leaf(Ty::Ints);
                seq!["cardinality(", of, ")"].mark(Feature::Array)
            }
            7 => {
                let of = self.leaf(Ty::Ints);
                seq!["(", of, ")[", self.small(), "::int]"].mark(Feature::Array)
            }
            // Overflows for numbers of others.
            8 => {
                let of = self.leaf(Ty::Int);
                seq!["(", of, " * 1000)"]
            }
            9 => {
                let of = self.leaf(Ty::Digits);
                seq!["(", of, ")::int"].mark(Feature::Cast)
            }
            10 => {
                let of = self.expr(Ty::Num);
                seq!["CAST(", of, " AS int)"].mark(Feature::Cast)
            }
            11 => {
                let of = self.leaf(Ty::Time);
                seq!["extract(year FROM ", of, ")::int"].mark(Feature::Time)
            }
            12 => {
                let (a, b) = (self.expr(Ty::Int), self.expr(Ty::Int));
                seq!["greatest(", a, ", ", b, ")"]
            }
            _ => {
                let of = self.expr(Ty::Int);
                seq!["abs(", of, ")"]
            }
        }
    }

    fn of_numeric(&mut self) -> Tree {
        match self.below(4) {
            0 => {
                let of = self.expr(Ty::Int);
                seq!["(", of, ")::numeric"].mark(Feature::Cast)
            }
            1 => {
                let of = self.expr(Ty::Num);
                seq!["round(", of, ", 1)"]
            }
            _ => {
                let operator = self.pick(&[" + ", " - ", " * "]);
                let (left, right) = (self.expr(Ty::Num), self.expr(Ty::Num));
                seq!["(", left, operator, right, ")"]
            }
        }
    }

    fn of_text(&mut self) -> Tree {
        match self.below(10) {
            0 | 1 => {
                let (left, right) = (self.expr(Ty::Text), self.expr(Ty::Text));
                seq!["(", left, " || ", right, ")"]
            }
            2 => {
                let name = self.word(&["lower(", "upper(", "reverse(", "md5(", "LOWER("]);
                let of = self.expr(Ty::Text);
                seq![name, of, ")"]
            }
            3 => {
                let (of, from) = (self.expr(Ty::Text), self.small());
                seq!["substr(", of, ", ", from, "::int)"]
            }
            4 => {
                let ty = self.ty();
                let of = self.expr(ty);
                seq!["(", of, ")::text"].mark(Feature::Cast)
            }
            5 => {
                let of = self.leaf(Ty::Jsonb);
                let path = self.word(&["'a'", "'b'", "0"]);
                seq!["(", of, " ->> ", path, ")"].mark(Feature::Json)
            }
            6 => {
                let of = self.leaf(Ty::Texts);
                seq!["(", of, ")[1]"].mark(Feature::Array)
            }
            7 => {
                let of = self.leaf(Ty::Time);
                seq!["to_char(", of, ", 'YYYY-MM')"].mark(Feature::Time)
            }
            8 => {
                let (a, b) = (self.ty(), self.ty());
                let (a, b) = (self.leaf(a), self.leaf(b));
                seq!["concat_ws('-', ", a, ", ", b, ")"]
            }
            _ => {
                let of = self.leaf(Ty::Ints);
                seq!["array_to_string(", of, ", '+')"].mark(Feature::Array)
            }
        }
    }

    fn of_time(&mut self) -> Tree {
        let of = self.expr(Ty::Time);
        let tree = match self.below(3) {
            0 => seq!["(", of, " + interval '1 day')"],
            1 => seq!["date_trunc('month', ", of, ")"],
            _ => seq!["(", of, " AT TIME ZONE 'UTC' AT TIME ZONE 'UTC')"],
        };
        tree.mark(Feature::Time)
    }

    fn of_jsonb(&mut self) -> Tree {
        let tree = match self.below(8) {
            0 => {
                let (of, path) = (self.leaf(Ty::Jsonb), self.word(&["'a'", "'b'", "0"]));
                seq!["(", of, " -> ", path, ")"]
            }
            // An error for documents of others.
            1 => {
                let of = self.leaf(Ty::Doc);
                seq!["(", of, ")::jsonb"]
            }
            2 => {
                let ty = self.ty();
                let of = self.expr(ty);
                seq!["jsonb_build_object('k', ", of, ")"]
            }
            3 => {
                let (a, b) = (self.ty(), self.ty());
                let (a, b) = (self.leaf(a), self.leaf(b));
                seq!["jsonb_build_array(", a, ", ", b, ")"]
            }
            4 | 5 => match self.whole_row() {
                Some(row) => seq!["to_jsonb(", row, ")"],
                None => self.constant(Ty::Jsonb),
            },
            6 => {
                let of = self.leaf(Ty::Jsonb);
                seq!["(", of, " || '{\"z\":1}')"]
            }
            _ => {
                let of = self.leaf(Ty::Int);
                seq!["to_jsonb(", of, ")"]
            }
        };
        tree.mark(Feature::Json)
    }

    fn of_ints(&mut self) -> Tree {
        let tree = match self.below(5) {
            0 => {
                let (of, one) = (self.leaf(Ty::Ints), self.leaf(Ty::Int));
                seq!["(", of, " || ", one, ")"]
            }
            1 | 2 if self.may_nest() => {
                let query = self.query(&Want::types(vec![Ty::Int]).in_order());
                seq!["ARRAY(", query.tree, ")"].mark(Feature::ArrayQuery)
            }
            _ => {
                let (a, b) = (self.expr(Ty::Int), self.expr(Ty::Int));
                seq!["ARRAY[", Tree::all(vec![a, b]), "]"]
            }
        };
        tree.mark(Feature::Array)
    }

    fn of_texts(&mut self) -> Tree {
        let tree = if self.chance(50) {
            let of = self.expr(Ty::Text);
            seq!["string_to_array(", of, ", ',')"]
        } else {
            let (a, b) = (self.expr(Ty::Text), self.leaf(Ty::Text));
            seq!["ARRAY[", Tree::all(vec![seq![a, "::text"], b]), "]"]
        };
        tree.mark(Feature::Array)
    }

    /// A row of an item that can be seen here, as a value.
    pub(crate) fn whole_row(&mut self) -> Option<Tree> {
        let innermost = self.scopes.iter().rposition(|scope| !scope.items.is_empty())?;
        let scope = &self.scopes[innermost];
        if self.local && innermost + 1 != self.scopes.len() || scope.keys.is_some() {
            return None;
        }
        let items = scope.items.iter().filter(|item| item.whole && !self.is_hidden(innermost, &item.alias));
        let aliases: Vec<_> = items.map(|item| item.alias.clone()).collect();
        if aliases.is_empty() {
            return None;
        }
        let alias = self.pick(&aliases);
        Some(self.name(&alias).mark(Feature::WholeRow))
    }

    /// Whether a query may stand here.
    pub(crate) fn may_nest(&self) -> bool {
        !self.is_tired() && self.depth < 3
    }

    /// A scalar subquery: of one row, mostly.
    pub(crate) fn subquery(&mut self, ty: Ty) -> Tree {
        if !self.may_nest() {
            return self.leaf(ty);
        }
        let single = self.chance(92);
        let query = self.query(&Want { single, ..Want::types(vec![ty]) });
        seq!["(", query.tree, ")"].mark(Feature::Scalar)
    }
}
