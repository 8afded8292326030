//! `FROM` clauses: tables, views, queries and functions, and the joins between them.

use super::{
    Feature,
    draw::Draw,
    literal::JSON,
    query::Want,
    scope::{Col, Item, same},
    tree::{Tree, seq},
};
use crate::{Class, Column, RowId, Value};

/// How an item is joined to those before it.
#[derive(Clone, Copy)]
struct Join {
    text: &'static str,
    feature: Feature,
    /// Whether it may have `NATURAL`, `ON` or `USING`.
    constrained: bool,
}

const JOINS: &[Join] = &[
    Join { text: ", ", feature: Feature::InnerJoin, constrained: false },
    Join { text: " CROSS JOIN ", feature: Feature::InnerJoin, constrained: false },
    Join { text: "JOIN ", feature: Feature::InnerJoin, constrained: true },
    Join { text: "INNER JOIN ", feature: Feature::InnerJoin, constrained: true },
    Join { text: "LEFT JOIN ", feature: Feature::LeftJoin, constrained: true },
    Join { text: "LEFT OUTER JOIN ", feature: Feature::LeftJoin, constrained: true },
    Join { text: "RIGHT JOIN ", feature: Feature::RightJoin, constrained: true },
    Join { text: "FULL JOIN ", feature: Feature::FullJoin, constrained: true },
    Join { text: "full outer join ", feature: Feature::FullJoin, constrained: true },
];

impl Draw<'_> {
    /// ` FROM …`; what it shows is added to the innermost scope.
    pub(crate) fn from(&mut self) -> Tree {
        let first = self.first();
        let joins = if self.is_tired() { 0 } else { self.weighted(&[55, 33, if self.depth > 1 { 0 } else { 12 }]) };
        let joins = (0..joins).map(|_| self.joined().optional()).collect();
        seq![" FROM ", first, Tree::list(joins, "", 0)]
    }

    fn first(&mut self) -> Tree {
        if self.is_tired() || !self.chance(5) {
            return self.add(false, |_, _| Vec::new()).0;
        }
        self.nested()
    }

    /// `(a JOIN b ON …)`.
    fn nested(&mut self) -> Tree {
        let left = self.add(false, |_, _| Vec::new()).0;
        let right = self.add(false, |_, _| Vec::new()).0;
        let word = self.word(&[" JOIN ", " LEFT JOIN ", " CROSS JOIN "]);
        let on = self.plainly(Self::on);
        seq!["(", left, word, right, " ON ", on, ")"].mark(Feature::NestedJoin)
    }

    fn joined(&mut self) -> Tree {
        let join = self.pick(JOINS);
        if join.constrained && self.chance(6) {
            let nested = self.nested();
            let on = self.plainly(Self::on);
            return seq![" ", join.text, nested, " ON ", on].mark(join.feature);
        }
        if !join.constrained {
            return seq![join.text, self.add(true, |_, _| Vec::new()).0].mark(join.feature);
        }
        let way = self.below(10);
        let natural = way == 0;
        let (item, merged) = self.add(false, |draw, item| {
            let common = draw.common_columns(item);
            match (way, common) {
                (0, Some(common)) => common,
                (1..=3, Some(common)) if !common.is_empty() => {
                    let at = draw.below(common.len());
                    common[at..=at].to_vec()
                }
                _ => Vec::new(),
            }
        });
        if natural && (!merged.is_empty() || self.has_nothing_common()) {
            return seq![" NATURAL ", join.text, item].mark(join.feature).mark(Feature::NaturalJoin);
        }
        if !merged.is_empty() {
            let names: Vec<_> = merged.iter().map(|name| self.name(name)).collect();
            return seq![" ", join.text, item, " USING (", Tree::all(names), ")"]
                .mark(join.feature)
                .mark(Feature::Using);
        }
        let on = self.plainly(Self::on);
        seq![" ", join.text, item, " ON ", on].mark(join.feature)
    }

    /// The names that the next item has in common with those before, if each can only mean one column.
    fn common_columns(&self, item: &Item) -> Option<Vec<String>> {
        let scope = self.scopes.last()?;
        // Columns that cannot be named could be in common, too.
        if item.width != item.columns.len() || scope.items.iter().any(|item| item.width != item.columns.len()) {
            return None;
        }
        let names = item.columns.iter().map(|column| &column.name).filter(|name| scope.occurs(name) > 0);
        let names: Vec<_> = names.cloned().collect();
        names.iter().all(|name| scope.occurs(name) == 1).then_some(names)
    }

    /// Whether the item that was added last has no name in common with those before it.
    fn has_nothing_common(&self) -> bool {
        let Some(scope) = self.scopes.last() else { return false };
        let Some((last, before)) = scope.items.split_last() else { return false };
        let known = |name: &str| before.iter().flat_map(|item| &item.columns).any(|column| same(&column.name, name));
        last.width == last.columns.len() && !last.columns.iter().any(|column| known(&column.name))
    }

    /// What stands after `ON`: two columns that are equal, mostly.
    fn on(&mut self) -> Tree {
        let items = self.scopes.last().map(|scope| scope.items.clone()).unwrap_or_default();
        if self.chance(70)
            && let [.., left, right] = items.as_slice()
            && let (Some(of_left), Some(of_right)) = (&left.alias, &right.alias)
            && !left.columns.is_empty()
            && !right.columns.is_empty()
        {
            let (a, b) = (self.pick(&left.columns), self.pick(&right.columns));
            let (of_left, of_right) = (self.name(of_left), self.name(of_right));
            let (a, b) = (self.name(&a.name), self.name(&b.name));
            let equal = seq![of_left, ".", a, " = ", of_right, ".", b].expr();
            if self.chance(20) && !self.is_tired() {
                let more = self.on_condition();
                return seq![equal, " AND (", more, ")"].expr();
            }
            return equal;
        }
        self.on_condition()
    }

    fn on_condition(&mut self) -> Tree {
        let before = self.joining.replace(self.scopes.len() - 1);
        let condition = self.condition();
        self.joining = before;
        condition
    }

    /// An item, put into view with the columns that `merge` merges.
    fn add(&mut self, lateral: bool, merge: impl FnOnce(&mut Self, &Item) -> Vec<String>) -> (Tree, Vec<String>) {
        let (tree, item) = self.item(lateral);
        let merged = merge(self, &item);
        if let Some(scope) = self.scopes.last_mut() {
            scope.add(item, merged.clone());
        }
        (tree, merged)
    }

    fn item(&mut self, lateral: bool) -> (Tree, Item) {
        let deep = self.is_tired() || self.depth >= 3;
        let ready = self.ctes.iter().filter(|cte| cte.columns.is_some()).count();
        let weights = [62, if self.schema.views.is_empty() { 0 } else { 9 }, if ready > 0 { 45 } else { 0 }];
        match self.weighted(&[
            weights[0],
            weights[1],
            weights[2],
            if deep { 0 } else { 10 },
            if lateral { 15 } else { 4 },
        ]) {
            1 => self.view(),
            2 => self.common_table(),
            3 => self.derived(),
            4 => self.each(lateral),
            _ => self.table(),
        }
    }

    pub(crate) fn is_shadowed(&self, name: &str) -> bool {
        self.ctes.iter().any(|cte| same(&cte.name, name))
    }

    fn table(&mut self) -> (Tree, Item) {
        let at = self.below(self.schema.tables.len());
        let table = &self.schema.tables[at];
        let columns = cols(&table.columns);
        let (tree, alias, in_main) = self.named_item(&table.name);
        let tree = match self.below(60) {
            0 => seq![tree, " NOT INDEXED"].mark(Feature::JoinHint),
            1 if !table.indexes.is_empty() => {
                let index = self.pick(&table.indexes);
                let index = self.name(&index);
                seq![tree, " INDEXED BY ", index].mark(Feature::JoinHint)
            }
            _ => tree,
        };
        let row_id = table.row_id != RowId::None;
        (tree, Item { alias: Some(alias), in_main, width: columns.len(), columns, row_id })
    }

    fn view(&mut self) -> (Tree, Item) {
        let at = self.below(self.schema.views.len());
        let view = &self.schema.views[at];
        let columns = cols(&view.columns);
        let (tree, alias, _) = self.named_item(&view.name);
        let item = Item { alias: Some(alias), in_main: false, width: columns.len(), columns, row_id: false };
        (tree.mark(Feature::ViewRead), item)
    }

    /// `t`, `main.t`, `t AS a`, `t a`: the text, what goes before the dot, and whether `main.` may go before that.
    fn named_item(&mut self, name: &str) -> (Tree, String, bool) {
        let main = self.is_shadowed(name) || self.chance(8);
        let written = self.declared(name);
        let tree = if main { seq!["main.", written].mark(Feature::QualifiedTable) } else { written };
        let taken = self.scopes.last().is_some_and(|scope| scope.has_alias(name));
        if !taken && self.chance(50) {
            return (tree, name.to_owned(), true);
        }
        let (tree, alias) = self.aliased(tree);
        (tree, alias, false)
    }

    fn aliased(&mut self, tree: Tree) -> (Tree, String) {
        let alias = self.new_alias();
        let (keyword, written) = (self.word(&[" AS ", " "]), self.name(&alias));
        (seq![tree, keyword, written], alias)
    }

    fn common_table(&mut self) -> (Tree, Item) {
        let ready = self.ctes.iter().enumerate().filter_map(|(at, cte)| {
            let hidden = self.ctes[at + 1..].iter().any(|inner| same(&inner.name, &cte.name));
            Some((cte.name.clone(), cte.columns.clone().filter(|_| !hidden)?))
        });
        let ready: Vec<_> = ready.collect();
        if ready.is_empty() {
            return self.table();
        }
        let (name, columns) = self.pick(&ready);
        let tree = self.name(&name);
        // It may have columns that cannot be named.
        let width = columns.len();
        let taken = self.scopes.last().is_some_and(|scope| scope.has_alias(&name));
        let (tree, alias) = if taken || self.chance(50) { self.aliased(tree) } else { (tree, name) };
        (tree, Item { alias: Some(alias), in_main: false, columns, width, row_id: false })
    }

    fn derived(&mut self) -> (Tree, Item) {
        let query = self.outside(|draw| draw.query(Want::NAMED));
        let tree = seq!["(", query.tree, ")"].mark(Feature::DerivedTable);
        let (tree, alias) = if self.chance(92) {
            let (tree, alias) = self.aliased(tree);
            (tree, Some(alias))
        } else {
            (tree, None)
        };
        (tree, Item { alias, in_main: false, columns: query.columns, width: query.width, row_id: false })
    }

    /// `json_each`, of a column of the items before it if it may.
    fn each(&mut self, lateral: bool) -> (Tree, Item) {
        let visible = self.scopes.last().map(|scope| scope.items.clone()).unwrap_or_default();
        let documents: Vec<_> = visible
            .into_iter()
            .filter_map(|item| {
                Some((item.alias?, item.columns.into_iter().find(|column| column.class == Class::Json)?))
            })
            .collect();
        let of = if lateral && !documents.is_empty() {
            let (alias, column) = self.pick(&documents);
            let (alias, column) = (self.name(&alias), self.name(&column.name));
            seq![alias, ".", column]
        } else {
            let value = Value::from(self.pick(JSON));
            if self.chance(30) { self.parameter(value) } else { Tree::from(value.to_string()) }
        };
        let path = self.word(&["", "", ", '$.b'", ", '$'"]);
        let (tree, alias) = self.aliased(seq!["json_each(", of, path, ")"]);
        let (number, text, any) = (Class::Integer, Class::Text, Class::Blob);
        let columns = [
            ("key", number),
            ("value", any),
            ("type", text),
            ("atom", any),
            ("id", number),
            ("parent", number),
            ("fullkey", text),
            ("path", text),
        ];
        let columns = columns.map(|(name, class)| Col { name: name.to_owned(), class }).to_vec();
        let item = Item { alias: Some(alias), in_main: false, columns, width: 8, row_id: false };
        (tree.mark(Feature::TableFunction), item)
    }
}

pub(crate) fn cols(columns: &[Column]) -> Vec<Col> {
    columns.iter().map(|column| Col { name: column.name.clone(), class: column.class }).collect()
}
