//! Queries inside of expressions.

use super::{
    Feature,
    draw::Draw,
    query::Want,
    scope::same,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// A scalar subquery or `EXISTS`.
    pub(crate) fn subquery(&mut self) -> Tree {
        if self.depth >= 3 {
            return self.constant(crate::Class::Integer);
        }
        if self.chance(25) {
            let columns = 1 + usize::from(self.chance(30));
            let query = self.query(Want::columns(columns));
            let not = self.word(&["", "NOT "]);
            return seq!["(", not, "EXISTS (", query.tree, "))"].mark(Feature::Exists);
        }
        // One row, mostly: of several it is the first that counts.
        let query = if self.chance(65) { self.single() } else { self.query(Want::columns(1)).tree };
        seq!["(", query, ")"].mark(Feature::Scalar)
    }

    /// A query with one row and one column.
    pub(crate) fn single(&mut self) -> Tree {
        self.query(Want { single: true, ..Want::columns(1) }).tree
    }

    /// `IN (SELECT …)` and `IN t`.
    pub(crate) fn in_query(&mut self) -> Tree {
        let not = self.word(&["", "", " NOT"]);
        if self.depth >= 3 || self.chance(25) {
            return self.in_table(not);
        }
        if self.chance(20) {
            let left = self.exprs(2);
            let query = self.query(Want::columns(2));
            let tree = seq!["(", Tree::all(left), ")", not, " IN (", query.tree, ")"];
            return tree.mark(Feature::InQuery).mark(Feature::RowValue);
        }
        let left = self.any_expr();
        let query = self.query(Want::columns(1));
        seq![left, not, " IN (", query.tree, ")"].mark(Feature::InQuery)
    }

    fn in_table(&mut self, not: Tree) -> Tree {
        let tables = self.schema.tables.iter().map(|table| (table.name.clone(), table.columns.len()));
        let views = self.schema.views.iter().map(|view| (view.name.clone(), view.columns.len()));
        let mut found: Vec<(String, usize, bool)> = tables
            .chain(views)
            .map(|(name, columns)| {
                let shadowed = self.ctes.iter().any(|cte| same(&cte.name, &name));
                (name, columns, shadowed)
            })
            .collect();
        let ctes = self.ctes.iter().enumerate().filter_map(|(at, cte)| {
            let hidden = self.ctes[at + 1..].iter().any(|inner| same(&inner.name, &cte.name));
            let columns = cte.columns.as_ref().filter(|_| !hidden)?;
            Some((cte.name.clone(), columns.len(), false))
        });
        found.extend(ctes);
        found.retain(|(_, columns, _)| *columns <= 4);
        if found.is_empty() {
            return Tree::from("1");
        }
        let narrow: Vec<_> = found.iter().filter(|(_, columns, _)| *columns == 1).cloned().collect();
        let (name, columns, shadowed) =
            if !narrow.is_empty() && self.chance(60) { self.pick(&narrow) } else { self.pick(&found) };
        // `main.` is for tables and views that something else hides.
        let main = if shadowed { "main." } else { "" };
        let left = self.exprs(columns);
        let left = if columns == 1 { Tree::all(left) } else { seq!["(", Tree::all(left), ")"] };
        let name = self.name(&name);
        seq![left, not, " IN ", main, name].mark(Feature::InTable)
    }
}
