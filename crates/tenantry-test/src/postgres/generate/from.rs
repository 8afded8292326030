//! `FROM` clauses: tables, views, queries and functions, and the joins between them.

use super::{
    super::standard::{COUNTRIES, TABLES, VIEWS},
    Ty,
    draw::{Col, Draw, Item, cols},
    query::Want,
};
use crate::generate::{
    Feature,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// ` FROM …`; what it shows is added to the innermost scope.
    pub(crate) fn from(&mut self) -> Tree {
        seq![" FROM ", self.items()]
    }

    /// What stands after `FROM` or `USING`.
    pub(crate) fn items(&mut self) -> Tree {
        self.joining(true);
        let first = self.add(false);
        let joins = if self.is_tired() { 0 } else { self.weighted(&[55, 33, if self.depth > 1 { 0 } else { 12 }]) };
        let joins = (0..joins).map(|_| self.joined().optional()).collect();
        // A comma comes last: what is joined after it would not see what is before it.
        let more = if !self.is_tired() && self.chance(14) {
            let item = self.add(true);
            seq![", ", item].mark(Feature::InnerJoin).optional()
        } else {
            Tree::NOTHING
        };
        self.joining(false);
        seq![first, Tree::list(joins, "", 0), more]
    }

    fn joining(&mut self, joining: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.joining = joining;
        }
    }

    fn joined(&mut self) -> Tree {
        let (word, feature) = self.pick(&[
            ("CROSS JOIN ", Feature::InnerJoin),
            ("JOIN ", Feature::InnerJoin),
            ("INNER JOIN ", Feature::InnerJoin),
            ("LEFT JOIN ", Feature::LeftJoin),
            ("LEFT OUTER JOIN ", Feature::LeftJoin),
            ("RIGHT JOIN ", Feature::RightJoin),
            ("FULL JOIN ", Feature::FullJoin),
        ]);
        if word == "CROSS JOIN " {
            return seq![" CROSS JOIN ", self.add(true)].mark(feature);
        }
        let lateral = matches!(feature, Feature::InnerJoin | Feature::LeftJoin);
        let item = self.add(lateral);
        if self.chance(25)
            && let Some((merged, natural)) = self.common()
        {
            return self.merged(word, feature, item, &merged, natural);
        }
        let on = self.plainly(|draw| draw.on(feature == Feature::FullJoin));
        seq![" ", word, item, " ON ", on].mark(feature)
    }

    fn merged(&mut self, word: &'static str, feature: Feature, item: Tree, merged: &[String], natural: bool) -> Tree {
        if let Some(scope) = self.scopes.last_mut() {
            scope.merged.extend(merged.iter().cloned());
        }
        if natural {
            return seq![" NATURAL ", word, item].mark(feature).mark(Feature::NaturalJoin);
        }
        let names = merged.iter().map(|name| self.name(name)).collect();
        seq![" ", word, item, " USING (", Tree::all(names), ")"].mark(feature).mark(Feature::Using)
    }

    /// Columns that the last item has in common with the ones before it, and whether those are all.
    fn common(&mut self) -> Option<(Vec<String>, bool)> {
        let scope = self.scopes.last()?;
        let (last, before) = scope.items.split_last()?;
        let of = |name: &str| {
            before.iter().flat_map(|item| &item.columns).filter(|column| column.name == name).collect::<Vec<_>>()
        };
        let mut common = Vec::new();
        for column in &last.columns {
            match of(&column.name).as_slice() {
                [] => {}
                [one] if one.ty.takes(column.ty) && scope.merged.is_empty() => common.push(column.name.clone()),
                _ => return None,
            }
        }
        if common.is_empty() {
            return None;
        }
        if self.chance(30) {
            return Some((common, true));
        }
        Some((vec![self.pick(&common)], false))
    }

    /// What stands after `ON`: two columns that are equal, mostly.
    fn on(&mut self, full: bool) -> Tree {
        let at = self.scopes.len() - 1;
        let items = self.scopes[at].items.clone();
        let Some((last, before)) = items.split_last() else { return Tree::from("true") };
        for ty in [Ty::Int, Ty::Text] {
            let of =
                |item: &Item| item.columns.iter().filter(|column| ty.takes(column.ty)).cloned().collect::<Vec<_>>();
            let left: Vec<_> =
                before.iter().flat_map(|item| of(item).into_iter().map(|column| (item.clone(), column))).collect();
            let right = of(last);
            if left.is_empty() || right.is_empty() || !full && self.chance(25) {
                continue;
            }
            let ((of_left, left), right) = (self.pick(&left), self.pick(&right));
            let (left, right) = (self.written(at, &of_left, &left.name), self.written(at, last, &right.name));
            let equal = seq![left, " = ", right].expr();
            if !full && self.chance(20) {
                let more = self.on_condition();
                return seq![equal, " AND (", more, ")"].expr();
            }
            return equal;
        }
        if full { Tree::from("true") } else { self.on_condition() }
    }

    fn on_condition(&mut self) -> Tree {
        if self.may_nest() && self.chance(40) {
            let of = self.leaf(Ty::Int);
            let query = self.query(&Want::types(vec![Ty::Int]));
            return seq![of, " IN (", query.tree, ")"].expr().mark(Feature::SubqueryOn);
        }
        self.condition()
    }

    /// An item, put into view.
    fn add(&mut self, lateral: bool) -> Tree {
        let (tree, item) = self.item(lateral);
        if let Some(scope) = self.scopes.last_mut() {
            scope.items.push(item);
        }
        tree
    }

    fn item(&mut self, lateral: bool) -> (Tree, Item) {
        let nests = self.may_nest();
        let lateral = lateral && self.scopes.last().is_some_and(|scope| !scope.items.is_empty());
        match self.weighted(&[
            60,
            8,
            if self.ctes.is_empty() { 0 } else { 45 },
            if nests { 10 } else { 0 },
            if nests && lateral { 12 } else { 0 },
            6,
            3,
        ]) {
            1 => {
                let (name, columns) = self.pick(VIEWS);
                let (tree, item) = self.named(name, columns, &[], false);
                (tree.mark(Feature::ViewRead), item)
            }
            2 => self.common_table(),
            3 => self.derived(false),
            4 => self.derived(true),
            5 => self.function(lateral),
            6 => {
                let (tree, item) = self.named(COUNTRIES.0, COUNTRIES.1, &["code"], false);
                (tree.mark(Feature::GlobalTable), item)
            }
            _ => self.table(),
        }
    }

    fn table(&mut self) -> (Tree, Item) {
        let table = self.pick(TABLES);
        let (tree, item) = self.named(table.name, table.columns, table.key, true);
        match self.below(60) {
            0 => (seq!["ONLY ", tree].mark(Feature::Sample), item),
            1 => (seq![tree, " TABLESAMPLE bernoulli (100)"].mark(Feature::Sample), item),
            _ => (tree, item),
        }
    }

    /// `t`, `public.t`, `t AS a`, `t a`, `t AS a (x, y)`.
    fn named(
        &mut self,
        name: &str,
        columns: &[(&str, Ty)],
        key: &'static [&'static str],
        is_table: bool,
    ) -> (Tree, Item) {
        let public = self.ctes.iter().any(|cte| cte.name == name) || self.chance(8);
        let written = self.name(name);
        let tree = if public { seq!["public.", written].mark(Feature::QualifiedTable) } else { written };
        let taken = self.scopes.last().is_some_and(|scope| scope.has(name));
        let mut item =
            Item { alias: name.to_owned(), in_public: true, columns: cols(columns), key, is_table, whole: true };
        if !taken && self.chance(50) {
            return (tree, item);
        }
        item.in_public = false;
        item.alias = self.new_alias();
        let (keyword, alias) = (self.word(&[" AS ", " "]), self.name(&item.alias));
        let tree = seq![tree, keyword, alias];
        if !self.chance(6) {
            return (tree, item);
        }
        // Names for the first columns.
        (item.whole, item.key) = (false, &[]);
        item.columns[0].name = "k0".to_owned();
        (seq![tree, " (k0)"], item)
    }

    fn common_table(&mut self) -> (Tree, Item) {
        let cte = {
            let ctes = self.ctes.clone();
            self.pick(&ctes)
        };
        let tree = self.name(&cte.name);
        let taken = self.scopes.last().is_some_and(|scope| scope.has(&cte.name));
        let item = Item { alias: cte.name, columns: cte.columns, ..Item::of_query() };
        if taken || self.chance(50) { self.aliased(tree, item) } else { (tree, item) }
    }

    fn derived(&mut self, lateral: bool) -> (Tree, Item) {
        let query = if lateral { self.query(&Want::named()) } else { self.outside(|draw| draw.query(&Want::named())) };
        let word = if lateral { "LATERAL (" } else { "(" };
        let feature = if lateral { Feature::Lateral } else { Feature::DerivedTable };
        let item = Item { columns: query.columns, ..Item::of_query() };
        self.aliased(seq![word, query.tree, ")"].mark(feature), item)
    }

    fn aliased(&mut self, tree: Tree, item: Item) -> (Tree, Item) {
        let alias = self.new_alias();
        let (keyword, written) = (self.word(&[" AS ", " "]), self.name(&alias));
        (seq![tree, keyword, written], Item { alias, ..item })
    }

    /// A function that gives rows, of a column of the items before it if it may.
    fn function(&mut self, lateral: bool) -> (Tree, Item) {
        let argument = |draw: &mut Self, ty| if lateral { draw.leaf(ty) } else { draw.outside(|draw| draw.leaf(ty)) };
        let alias = self.new_alias();
        let (written, columns): (Tree, &[(&str, Ty)]) = match self.below(4) {
            0 => (seq!["generate_series(1, ", self.small(), ")"], &[("n", Ty::Int)]),
            1 => (seq!["unnest(", argument(self, Ty::Ints), ")"], &[("n", Ty::Int)]),
            2 => (seq!["unnest(", argument(self, Ty::Texts), ")"], &[("s", Ty::Text)]),
            _ => {
                let of = argument(self, Ty::Jsonb);
                (
                    seq!["jsonb_each(CASE WHEN jsonb_typeof(", of.clone(), ") = 'object' THEN ", of, " END)"],
                    &[("k", Ty::Text), ("v", Ty::Jsonb)],
                )
            }
        };
        let (number, more) = if self.chance(12) { (" WITH ORDINALITY", Some(("o", Ty::Int))) } else { ("", None) };
        let columns: Vec<_> = columns.iter().copied().chain(more).collect();
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let written = seq![written, number, " AS ", self.name(&alias), "(", names.join(", "), ")"];
        (written.mark(Feature::TableFunction), Item { alias, columns: cols(&columns), ..Item::of_query() })
    }
}

impl Item {
    /// What is no table.
    pub(crate) fn of_query() -> Self {
        let columns: Vec<Col> = Vec::new();
        Self { alias: String::new(), in_public: false, columns, key: &[], is_table: false, whole: false }
    }
}
