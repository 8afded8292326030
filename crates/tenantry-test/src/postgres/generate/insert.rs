//! `INSERT`.

use super::{
    super::standard::{TABLES, Table},
    Ty,
    draw::{Col, Draw, Item, Scope, cols},
    query::Want,
};
use crate::generate::{
    Feature, Kind, Statement,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// An `INSERT`.
    pub(crate) fn insert(&mut self) -> Statement {
        let with = if self.chance(8) { self.with(true) } else { Tree::NOTHING };
        let (tree, table) = self.insert_into(None);
        self.ctes.clear();
        Statement { kind: Kind::Insert(table.name.to_owned()), tree: seq![with, tree].mark(Feature::Insert) }
    }

    /// `INSERT INTO …`; `returning`: columns that it has to give.
    pub(crate) fn insert_into(&mut self, returning: Option<&mut Vec<Col>>) -> (Tree, &'static Table) {
        let table = &TABLES[self.below(TABLES.len())];
        let (columns, listed) = self.filled(table);
        let alias = if self.chance(15) { self.new_alias() } else { table.name.to_owned() };
        let into = self.target(table, &alias);
        let source = self.source(&columns, listed);
        let names = if listed && source.1 {
            let names = columns.iter().map(|(name, _)| self.name(name)).collect();
            seq![" (", Tree::all(names), ")"]
        } else {
            Tree::NOTHING.mark(Feature::InsertNoList)
        };
        let conflict = if self.chance(35) { self.on_conflict(table, &alias) } else { Tree::NOTHING };
        let item = of_target(table, &alias);
        let returning = self.returning(item, Vec::new(), returning);
        (seq!["INSERT INTO ", into, names, source.0, conflict, returning], table)
    }

    /// `t`, `public.t`, and ` AS a` if it has another alias.
    pub(crate) fn target(&mut self, table: &Table, alias: &str) -> Tree {
        let public = if self.chance(8) { "public." } else { "" };
        let name = self.name(table.name);
        if alias == table.name {
            return seq![public, name];
        }
        seq![public, name, " AS ", self.name(alias)]
    }

    /// The columns that are filled, and whether they are listed.
    fn filled(&mut self, table: &Table) -> (Vec<(&'static str, Ty)>, bool) {
        let writable: Vec<_> =
            table.columns.iter().filter(|(name, _)| !table.computed.contains(name)).copied().collect();
        if table.computed.is_empty() && self.chance(15) {
            let count = if self.chance(70) { writable.len() } else { 1 + self.below(writable.len()) };
            return (writable[..count].to_vec(), false);
        }
        let mut columns: Vec<_> = writable.into_iter().filter(|(name, _)| self.is_filled(table, name)).collect();
        if columns.is_empty() {
            columns.push(table.columns[1]);
        }
        if self.chance(25) {
            columns.reverse();
        }
        (columns, true)
    }

    fn is_filled(&mut self, table: &Table, column: &str) -> bool {
        let needed = ["name", "slug", "tag", "team"].contains(&column) || table.name == "members";
        // Without it the next number is taken.
        let percent = if needed {
            92
        } else if column == "id" {
            40
        } else {
            65
        };
        self.chance(percent)
    }

    /// The rows, and whether columns may be listed.
    fn source(&mut self, columns: &[(&'static str, Ty)], listed: bool) -> (Tree, bool) {
        if listed && self.chance(4) {
            return (Tree::from(" DEFAULT VALUES").mark(Feature::DefaultValues), false);
        }
        let types: Vec<_> = columns.iter().map(|(_, ty)| *ty).collect();
        if self.chance(25) {
            let query = self.query(&Want::types(types).in_order());
            return (seq![" ", query.tree].mark(Feature::InsertSelect), true);
        }
        let count = 1 + self.weighted(&[70, 20, 10]);
        let rows = (0..count).map(|_| {
            let row = columns.iter().map(|(name, ty)| self.inserted(name, *ty)).collect();
            seq!["(", Tree::all(row), ")"]
        });
        let rows = Tree::list(rows.collect(), ", ", 1);
        (if count > 1 { seq![" VALUES ", rows].mark(Feature::InsertMany) } else { seq![" VALUES ", rows] }, true)
    }

    fn inserted(&mut self, name: &str, ty: Ty) -> Tree {
        match self.below(20) {
            0 => Tree::from("DEFAULT"),
            1 => {
                let value = self.expr(ty);
                seq!["(", value, ")::", ty.name()]
            }
            2 | 3 if name == "line" => Tree::from("'once'"),
            // So that it is new, mostly.
            4..9 if name == "id" => Tree::from((20 + self.below(200)).to_string()),
            4..9 if ["name", "slug", "email"].contains(&name) => Tree::from(format!("'n{}'", self.below(200))),
            _ => self.constant(ty),
        }
    }

    fn on_conflict(&mut self, table: &Table, alias: &str) -> Tree {
        let target = if !table.constraints.is_empty() && self.chance(15) {
            seq![" ON CONSTRAINT ", self.pick(table.constraints)].mark(Feature::OnConstraint)
        } else {
            match self.pick(table.targets) {
                "" => Tree::NOTHING,
                target => seq![" ", target],
            }
        };
        if target == Tree::NOTHING || self.chance(35) {
            return seq![" ON CONFLICT", target, " DO NOTHING"].mark(Feature::Upsert).optional();
        }
        let excluded = Item { alias: "excluded".to_owned(), columns: cols(table.columns), ..Item::of_query() };
        let items = vec![of_target(table, alias), excluded];
        self.scopes.push(Scope { items, joining: true, ..Scope::default() });
        let sets = self.sets(table, true);
        let filter = if self.chance(30) {
            let condition = self.condition();
            seq![" WHERE ", condition].optional()
        } else {
            Tree::NOTHING
        };
        self.scopes.pop();
        seq![" ON CONFLICT", target, " DO UPDATE SET ", sets, filter].mark(Feature::Upsert).optional()
    }
}

/// The table that is changed, as an item.
pub(crate) fn of_target(table: &Table, alias: &str) -> Item {
    let columns = cols(table.columns);
    Item { alias: alias.to_owned(), in_public: alias == table.name, columns, key: &[], is_table: true, whole: false }
}
