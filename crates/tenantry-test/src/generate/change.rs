//! `UPDATE`, `DELETE`, `RETURNING`, and transactions.

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
    pub(crate) fn update(&mut self) -> Statement {
        let at = self.below(self.schema.tables.len());
        let table = &self.schema.tables[at];
        let with = if self.chance(5) { self.with() } else { Tree::NOTHING };
        let verb = if self.chance(75) {
            Tree::from("UPDATE ")
        } else {
            self.word(&["UPDATE OR IGNORE ", "UPDATE OR REPLACE ", "UPDATE OR ABORT ", "UPDATE OR FAIL "])
                .mark(Feature::OnConflict)
        };
        let (target, alias) = self.target(table);
        self.scopes.push(of_table(table, &alias));
        let from = if self.chance(15) { self.update_from(&alias) } else { Tree::NOTHING };
        let sets = self.sets(table);
        let condition = self.where_clause(85);
        self.scopes.pop();
        let returning = self.returning(table, &alias);
        let tree = seq![with, verb, target, " SET ", sets, from, condition, returning];
        self.finish(Kind::Update(table.name.clone()), tree, Feature::Update)
    }

    /// The `FROM` of an `UPDATE`: its joins do not see the table that is changed, what follows sees all.
    fn update_from(&mut self, target: &str) -> Tree {
        let (from, read) = self.blindly(|draw| {
            draw.scopes.push(Scope { taken: Some(target.to_owned()), ..Scope::default() });
            let from = draw.from();
            (from, draw.scopes.pop().unwrap_or_default())
        });
        if let Some(scope) = self.scopes.last_mut() {
            scope.merged = read.merged;
            scope.items.extend(read.items);
        }
        from.mark(Feature::UpdateFrom)
    }

    pub(crate) fn delete(&mut self) -> Statement {
        let at = self.below(self.schema.tables.len());
        let table = &self.schema.tables[at];
        let with = if self.chance(5) { self.with() } else { Tree::NOTHING };
        let (target, alias) = self.target(table);
        self.scopes.push(of_table(table, &alias));
        // Otherwise there would soon be nothing left to look at.
        let condition = if self.chance(65) {
            let column = self.pick(&table.columns);
            let (name, value) = (self.name(&column.name), self.constant(column.class));
            let rest = if self.chance(40) {
                let condition = self.condition();
                seq![" AND (", condition, ")"].optional()
            } else {
                Tree::NOTHING
            };
            seq![" WHERE ", name, " = ", value, rest].optional()
        } else {
            self.where_clause(93)
        };
        self.scopes.pop();
        let returning = self.returning(table, &alias);
        let tree = seq![with, "DELETE FROM ", target, condition, returning];
        self.finish(Kind::Delete(table.name.clone()), tree, Feature::Delete)
    }

    fn where_clause(&mut self, percent: usize) -> Tree {
        if !self.chance(percent) {
            return Tree::NOTHING;
        }
        let condition = self.condition();
        seq![" WHERE ", condition].optional()
    }

    /// Assignments, without `SET`.
    pub(crate) fn sets(&mut self, table: &Table) -> Tree {
        let mut columns: Vec<Column> = table.insertable().cloned().collect();
        let rest: Vec<_> = columns.iter().filter(|column| !table.is_key(&column.name)).cloned().collect();
        let mut changes_key = false;
        if !rest.is_empty() && self.chance(80) {
            columns = rest;
        } else {
            changes_key = true;
        }
        let mut sets = Vec::new();
        let mut many = false;
        for _ in 0..1 + self.below(2) {
            if columns.is_empty() {
                break;
            }
            let at = self.below(columns.len());
            let first = columns.remove(at);
            let left = self.name(&first.name);
            if !columns.is_empty() && self.chance(12) {
                let at = self.below(columns.len());
                let second = columns.remove(at);
                let other = self.name(&second.name);
                let right = if self.chance(50) {
                    self.query(Want { top: false, ..Want::columns(2) }).tree
                } else {
                    let (a, b) = (self.assigned(&first), self.assigned(&second));
                    seq![a, ", ", b]
                };
                sets.push(seq!["(", left, ", ", other, ") = (", right, ")"]);
                many = true;
            } else {
                let value = self.assigned(&first);
                sets.push(seq![left, " = ", value]);
            }
        }
        let mut tree = Tree::list(sets, ", ", 1);
        if many {
            tree = tree.mark(Feature::UpdateRow);
        }
        if changes_key { tree.mark(Feature::KeyChange) } else { tree }
    }

    fn assigned(&mut self, column: &Column) -> Tree {
        match self.below(10) {
            0..4 => self.constant(column.class),
            4 if column.class == crate::Class::Integer => {
                let name = self.name(&column.name);
                // `excluded` has a column of this name, too.
                match self.scopes.last().and_then(|scope| scope.items.first()).and_then(|item| item.alias.clone()) {
                    Some(alias) => {
                        let alias = self.name(&alias);
                        seq![alias, ".", name, " + 1"].expr()
                    }
                    None => Tree::from("1"),
                }
            }
            5 | 6 => self.leaf_of(&[column.class]),
            _ => self.expr(column.class),
        }
    }

    /// `RETURNING`, or nothing.
    pub(crate) fn returning(&mut self, table: &Table, alias: &str) -> Tree {
        if !self.chance(28) {
            return Tree::NOTHING;
        }
        if self.chance(40) {
            return Tree::from(" RETURNING *").optional().mark(Feature::Returning).mark(Feature::ReturningStar);
        }
        // There the table goes by its own name, whatever the statement calls it elsewhere.
        let name = if self.chance(4) { alias } else { &table.name };
        let mut scope = of_table(table, name);
        scope.items.iter_mut().for_each(|item| item.in_main = false);
        self.scopes.push(scope);
        let items: Vec<_> = (0..1 + self.below(3))
            .map(|at| {
                let item = self.any_expr();
                if self.chance(40) { seq![item, format!(" AS r{at}")] } else { item }
            })
            .collect();
        self.scopes.pop();
        seq![" RETURNING ", Tree::list(items, ", ", 1)].optional().mark(Feature::Returning)
    }

    pub(crate) fn transaction(&mut self) -> Statement {
        let text = self.word(&[
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT one",
            "RELEASE one",
            "ROLLBACK TO one",
            "BEGIN IMMEDIATE TRANSACTION",
            "END",
            "begin deferred",
        ]);
        Statement { kind: Kind::Transaction, tree: text.mark(Feature::Transaction) }
    }
}

fn of_table(table: &Table, alias: &str) -> Scope {
    let columns = cols(&table.columns);
    let row_id = table.row_id != RowId::None;
    let in_main = alias == table.name;
    let mut scope = Scope::default();
    scope.add(Item { alias: Some(alias.to_owned()), in_main, width: columns.len(), columns, row_id }, Vec::new());
    scope
}
