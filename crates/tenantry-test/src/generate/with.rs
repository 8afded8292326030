//! `WITH`.

use super::{
    Feature,
    draw::Draw,
    query::Want,
    scope::{Col, Cte, same},
    tree::{Tree, seq},
};
use crate::{Class, Table};

impl Draw<'_> {
    /// `WITH` with its common table expressions, which can be used from now on.
    pub(crate) fn with(&mut self) -> Tree {
        let first = self.ctes.len();
        let count = 1 + self.below(2);
        let mut shadows = false;
        while self.ctes.len() < first + count {
            let tables: Vec<_> = self.schema.tables.iter().map(|table| table.name.clone()).collect();
            let shadow = !tables.is_empty() && self.chance(35);
            let name = if shadow { self.pick(&tables) } else { format!("{}{}", self.pick(&["w", "q"]), self.below(9)) };
            if !self.ctes[first..].iter().any(|cte| same(&cte.name, &name)) {
                shadows |= shadow;
                self.ctes.push(Cte { name, columns: None });
            }
        }
        let forward = count > 1 && self.chance(35);
        let mut order: Vec<_> = (first..first + count).collect();
        if forward {
            order.reverse();
        }
        let mut trees = vec![Tree::NOTHING; count];
        let mut recursive = false;
        // The innermost scope is none of theirs, but those outside of it are.
        for at in order {
            let (tree, columns, is_recursive) = self.common(at);
            recursive |= is_recursive;
            trees[at - first] = tree;
            self.ctes[at].columns = Some(columns);
        }
        let keyword = if recursive || self.chance(20) { "WITH RECURSIVE " } else { "WITH " };
        let mut tree = seq![keyword, Tree::list(trees, ", ", 1), " "].optional().mark(Feature::Cte);
        for (yes, feature) in
            [(shadows, Feature::CteShadow), (recursive, Feature::CteRecursive), (forward, Feature::CteForward)]
        {
            if yes {
                tree = tree.mark(feature);
            }
        }
        tree
    }

    fn common(&mut self, at: usize) -> (Tree, Vec<Col>, bool) {
        let name = self.ctes[at].name.clone();
        let written = self.declared(&name);
        if self.chance(22) {
            let (body, columns) = self.recursion(&name);
            let names: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
            return (seq![written, format!("({}) AS (", names.join(", ")), body, ")"], columns, true);
        }
        let query = self.query(Want::NAMED);
        // Columns that cannot be named get names.
        let (list, columns) = if self.chance(35) || query.width != query.columns.len() {
            let columns: Vec<_> = (0..query.width)
                .map(|at| Col {
                    name: format!("k{at}"),
                    class: query.columns.get(at).map_or(Class::Integer, |of| of.class),
                })
                .collect();
            let names: Vec<_> = columns.iter().map(|column| self.name(&column.name)).collect();
            (seq!["(", Tree::all(names), ")"], columns)
        } else {
            (Tree::NOTHING, query.columns)
        };
        let keep = self.word(&[" AS (", " AS (", " AS (", " AS MATERIALIZED (", " AS NOT MATERIALIZED ("]);
        (seq![written, list, keep, query.tree, ")"], columns, false)
    }

    fn recursion(&mut self, name: &str) -> (Tree, Vec<Col>) {
        let number = |name: &str| Col { name: name.to_owned(), class: Class::Integer };
        let this = self.name(name);
        let trees: Vec<(&Table, String, String)> = self
            .schema
            .tables
            .iter()
            .filter_map(|table| {
                let key =
                    table.foreign_keys.iter().find(|key| same(&key.table, &table.name) && key.columns.len() == 1)?;
                Some((table, key.columns[0].clone(), table.primary_key.first()?.clone()))
            })
            .collect();
        if !trees.is_empty() && self.chance(50) {
            let (table, parent, id) = self.pick(&trees);
            let (table, parent, id) = (self.name(&table.name), self.name(&parent), self.name(&id));
            let tree = seq![
                "SELECT ",
                id.clone(),
                ", 0 FROM main.",
                table.clone(),
                " WHERE ",
                parent.clone(),
                " IS NULL UNION SELECT r.",
                id,
                ", k + 1 FROM main.",
                table,
                " AS r JOIN ",
                this,
                " AS o ON r.",
                parent,
                " = o.n WHERE k < 4"
            ];
            return (tree, vec![number("n"), number("k")]);
        }
        let start = self.small();
        let end = self.below(6).to_string();
        let union = self.word(&[" UNION ALL ", " UNION "]);
        (seq!["SELECT ", start, union, "SELECT n + 1 FROM ", this, " WHERE n < ", end], vec![number("n")])
    }
}
