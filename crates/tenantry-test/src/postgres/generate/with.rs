//! `WITH`.

use super::{
    super::standard::TABLES,
    Ty,
    draw::{Col, Cte, Draw},
    query::Want,
};
use crate::generate::{
    Feature,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// `WITH` with its common table expressions, which can be used from now on. `top`: whether they may change rows.
    pub(crate) fn with(&mut self, top: bool) -> Tree {
        let first = self.ctes.len();
        let (mut trees, recursive) = (Vec::new(), self.chance(25));
        for _ in 0..1 + self.below(2) {
            // With RECURSIVE a query that is called as a table would mean itself by that.
            let shadow = !recursive && self.chance(30);
            let name = if shadow {
                self.pick(TABLES).name.to_owned()
            } else {
                format!("{}{}", self.pick(&["w", "q"]), self.below(9))
            };
            if self.ctes[first..].iter().any(|cte| cte.name == name) {
                continue;
            }
            let (tree, columns) = self.common_query(&name, top, recursive);
            trees.push(if shadow { tree.mark(Feature::CteShadow) } else { tree });
            self.ctes.push(Cte { name, columns });
        }
        let keyword = if recursive { "WITH RECURSIVE " } else { "WITH " };
        seq![keyword, Tree::all(trees), " "].optional().mark(Feature::Cte)
    }

    fn common_query(&mut self, name: &str, top: bool, recursive: bool) -> (Tree, Vec<Col>) {
        let written = self.name(name);
        if recursive && self.chance(70) {
            let (body, columns) = self.recursion(name);
            let names: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
            let tree = seq![written, "(", names.join(", "), ") AS (", body, ")"].mark(Feature::CteRecursive);
            return (tree, columns);
        }
        if top && self.scopes.is_empty() && self.chance(18) {
            let (change, columns) = self.change_in_query();
            return (seq![written, " AS (", change, ")"].mark(Feature::DataModifyingCte), columns);
        }
        let query = self.query(&Want::named());
        let keep = self.word(&[" AS (", " AS (", " AS (", " AS MATERIALIZED (", " AS NOT MATERIALIZED ("]);
        if self.chance(20) && !query.columns.is_empty() {
            let columns: Vec<_> =
                query.columns.iter().enumerate().map(|(at, of)| Col { name: format!("k{at}"), ty: of.ty }).collect();
            let names: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
            return (seq![written, "(", names.join(", "), ")", keep, query.tree, ")"], columns);
        }
        (seq![written, keep, query.tree, ")"], query.columns)
    }

    fn recursion(&mut self, name: &str) -> (Tree, Vec<Col>) {
        let number = |name: &str| Col { name: name.to_owned(), ty: Ty::Int };
        let this = self.name(name);
        let union = self.word(&[" UNION ALL ", " UNION "]);
        if self.chance(50) {
            let start = "SELECT id, 0 FROM public.teams WHERE parent IS NULL";
            let next = "SELECT r.id, k + 1 FROM public.teams AS r JOIN ";
            let tree = seq![start, union, next, this, " AS o ON r.parent = o.n WHERE k < 4"];
            return (tree, vec![number("n"), number("k")]);
        }
        let (start, end) = (self.small(), self.below(6).to_string());
        (seq!["SELECT ", start, "::int", union, "SELECT n + 1 FROM ", this, " WHERE n < ", end], vec![number("n")])
    }
}
