//! `INSERT` and `REPLACE`.

use super::{
    Feature,
    draw::Draw,
    from::cols,
    query::Want,
    scope::{Item, Scope},
    statement::Kind,
    tree::{Tree, seq},
};
use crate::{Column, RowId, Table, generate::Statement};

impl Draw<'_> {
    pub(crate) fn insert(&mut self) -> Statement {
        let at = self.below(self.schema.tables.len());
        let table = &self.schema.tables[at];
        let with = if self.chance(5) { self.with() } else { Tree::NOTHING };
        let (verb, ignores) = self.verb();
        let (target, alias) = self.target(table);
        if self.chance(3) {
            let returning = self.returning(table, &alias);
            let tree = seq![with, verb, target, " DEFAULT VALUES", returning].mark(Feature::DefaultValues);
            return self.finish(Kind::Insert(table.name.clone()), tree, Feature::Insert);
        }
        let (list, columns) = self.insert_list(table);
        // Without a key there is nothing that could be in conflict.
        let upserts = !ignores && self.chance(if table.unique.is_empty() { 3 } else { 45 });
        let source = self.source(&columns, upserts);
        let upsert = if upserts { self.upserts(table, &alias) } else { Tree::NOTHING };
        let returning = self.returning(table, &alias);
        let tree = seq![with, verb, target, list, " ", source, upsert, returning];
        self.finish(Kind::Insert(table.name.clone()), tree, Feature::Insert)
    }

    pub(crate) fn finish(&mut self, kind: Kind, tree: Tree, feature: Feature) -> Statement {
        self.ctes.clear();
        self.scopes.clear();
        Statement { kind, tree: tree.mark(feature) }
    }

    /// The verb, and whether it says what happens at a conflict.
    fn verb(&mut self) -> (Tree, bool) {
        if self.chance(60) {
            return (Tree::from("INSERT INTO "), false);
        }
        let verb = self.word(&[
            "INSERT OR IGNORE INTO ",
            "INSERT OR REPLACE INTO ",
            "REPLACE INTO ",
            "INSERT OR ABORT INTO ",
            "INSERT OR FAIL INTO ",
            "insert or ignore into ",
        ]);
        (verb.mark(Feature::OnConflict), true)
    }

    /// The table that is written, and how it is called in the statement.
    pub(crate) fn target(&mut self, table: &Table) -> (Tree, String) {
        let main = if self.chance(10) { "main." } else { "" };
        let name = self.name(&table.name);
        let tree = if main.is_empty() { name } else { seq![main, name].mark(Feature::QualifiedTable) };
        if self.chance(15) {
            let alias = self.new_alias();
            let written = self.name(&alias);
            return (seq![tree, " AS ", written], alias);
        }
        (tree, table.name.clone())
    }

    /// The list of columns, or none, and what they are. Mostly nothing is left out that has to be there.
    fn insert_list(&mut self, table: &Table) -> (Tree, Vec<Column>) {
        let all: Vec<_> = table.insertable().cloned().collect();
        if self.chance(30) {
            return (Tree::NOTHING.mark(Feature::InsertNoList), all);
        }
        let mut columns: Vec<Column> = Vec::new();
        for column in all {
            let percent = match &table.row_id {
                RowId::Column(id) if *id == column.name => 45,
                _ if table.is_key(&column.name) || !column.nullable => 93,
                _ => 60,
            };
            if self.chance(percent) {
                columns.push(column);
            }
        }
        if columns.is_empty() {
            columns.extend(table.insertable().last().cloned());
        }
        if self.chance(20) {
            columns.reverse();
        }
        let mut names: Vec<_> = columns.iter().map(|column| self.name(&column.name)).collect();
        if table.row_id != RowId::None && !names.is_empty() && self.chance(3) {
            // The row id, in the place of the last column.
            names.pop();
            names.push(Tree::from("rowid").mark(Feature::RowIdColumn));
        }
        (seq![" (", Tree::all(names), ")"], columns)
    }

    /// Where the rows come from.
    fn source(&mut self, columns: &[Column], upserts: bool) -> Tree {
        if self.chance(65) {
            let count = self.pick(&[1, 1, 1, 2, 3]);
            let rows: Vec<_> = (0..count).map(|_| self.row(columns)).collect();
            let tree = seq!["VALUES ", Tree::list(rows, ", ", 1)];
            return if count > 1 { tree.mark(Feature::InsertMany) } else { tree };
        }
        if self.chance(40) {
            return self.shifted(columns).mark(Feature::InsertSelect);
        }
        let query = self.query(Want::columns(columns.len()));
        let tree = if upserts {
            // Without `WHERE` the parser takes `ON` for that of a join.
            seq!["SELECT * FROM (", query.tree, ") WHERE true"]
        } else {
            query.tree
        };
        tree.mark(Feature::InsertSelect)
    }

    fn row(&mut self, columns: &[Column]) -> Tree {
        let count = columns.len() + usize::from(self.chance(1));
        let values = (0..count).map(|at| match columns.get(at) {
            Some(column) if !column.nullable && self.chance(85) => {
                let value = loop {
                    let value = self.value(column.class);
                    if value != crate::Value::Null {
                        break value;
                    }
                };
                if self.chance(30) { self.parameter(value) } else { Tree::from(value.to_string()) }
            }
            Some(column) if self.chance(90) => self.constant(column.class),
            Some(column) => self.expr(column.class),
            None => Tree::from("1"),
        });
        let values = values.collect();
        seq!["(", Tree::all(values), ")"]
    }

    /// `SELECT` from one table with each column or a constant in its place.
    fn shifted(&mut self, columns: &[Column]) -> Tree {
        self.scopes.push(Scope::default());
        self.depth += 1;
        let from = self.from();
        let results = columns
            .iter()
            .map(|column| if self.chance(70) { self.leaf_of(&[column.class]) } else { self.expr(column.class) });
        let results = results.collect();
        let condition = self.condition();
        self.depth -= 1;
        self.scopes.pop();
        let distinct = self.word(&["", "", "DISTINCT "]);
        seq!["SELECT ", distinct, Tree::all(results), from, " WHERE ", condition].query()
    }

    fn upserts(&mut self, table: &Table, alias: &str) -> Tree {
        let mut keys = table.unique.clone();
        if keys.is_empty() || self.chance(4) {
            // Perhaps there is no such key.
            keys.push(table.columns.first().map(|column| vec![column.name.clone()]).unwrap_or_default());
        }
        let count = 1 + usize::from(self.chance(25));
        let clauses: Vec<_> = (0..count)
            .map(|at| {
                let last = at + 1 == count;
                let key = self.pick(&keys);
                let names: Vec<_> = key.iter().map(|name| self.name(name)).collect();
                let target = if last && self.chance(25) { Tree::NOTHING } else { seq![" (", Tree::all(names), ")"] };
                let action = self.upsert_action(table, alias);
                seq![" ON CONFLICT", target, action]
            })
            .collect();
        let tree = Tree::list(clauses, "", 1).mark(Feature::Upsert);
        if count > 1 { tree.mark(Feature::UpsertMany) } else { tree }
    }

    fn upsert_action(&mut self, table: &Table, alias: &str) -> Tree {
        if self.chance(30) {
            return Tree::from(" DO NOTHING");
        }
        let columns = cols(&table.columns);
        let item = |alias: &str| Item {
            alias: Some(alias.to_owned()),
            in_main: false,
            width: columns.len(),
            columns: columns.clone(),
            row_id: false,
        };
        let mut scope = Scope::default();
        scope.add(item(alias), Vec::new());
        scope.add(item("excluded"), Vec::new());
        self.scopes.push(scope);
        let sets = self.sets(table);
        let condition = if self.chance(30) {
            let condition = self.condition();
            seq![" WHERE ", condition].optional()
        } else {
            Tree::NOTHING
        };
        self.scopes.pop();
        seq![" DO UPDATE SET ", sets, condition].mark(Feature::Excluded)
    }
}
