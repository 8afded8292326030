//! `UPDATE`, `DELETE` and `MERGE`.

use super::{
    super::standard::{TABLES, Table},
    Ty,
    draw::{Col, Draw, Item, Scope},
    insert::of_target,
    query::Want,
};
use crate::generate::{
    Feature, Kind, Statement,
    tree::{Tree, seq},
};

impl Draw<'_> {
    /// An `UPDATE`.
    pub(crate) fn update(&mut self) -> Statement {
        let with = if self.chance(8) { self.with(true) } else { Tree::NOTHING };
        let (tree, table) = self.update_of(None);
        self.ctes.clear();
        Statement { kind: Kind::Update(table.name.to_owned()), tree: seq![with, tree].mark(Feature::Update) }
    }

    /// A `DELETE`.
    pub(crate) fn delete(&mut self) -> Statement {
        let with = if self.chance(8) { self.with(true) } else { Tree::NOTHING };
        let (tree, table) = self.delete_from(None);
        self.ctes.clear();
        Statement { kind: Kind::Delete(table.name.to_owned()), tree: seq![with, tree].mark(Feature::Delete) }
    }

    /// A change that stands in `WITH`, and the columns that it gives.
    pub(crate) fn change_in_query(&mut self) -> (Tree, Vec<Col>) {
        let mut columns = Vec::new();
        let (scopes, depth) = (std::mem::take(&mut self.scopes), self.depth);
        self.depth += 1;
        let tree = match self.below(3) {
            0 => self.insert_into(Some(&mut columns)).0,
            1 => self.update_of(Some(&mut columns)).0,
            _ => self.delete_from(Some(&mut columns)).0,
        };
        (self.scopes, self.depth) = (scopes, depth);
        (tree, columns)
    }

    fn update_of(&mut self, returning: Option<&mut Vec<Col>>) -> (Tree, &'static Table) {
        let (table, alias) = self.changed();
        let target = self.target(table, &alias);
        self.scopes.push(Scope { items: vec![of_target(table, &alias)], ..Scope::default() });
        let from =
            if self.chance(20) { seq![" FROM ", self.others()].mark(Feature::UpdateFrom) } else { Tree::NOTHING };
        let sets = self.sets(table, false);
        let filter = self.filter();
        let items = self.scopes.pop().map(|scope| scope.items).unwrap_or_default();
        let returning = self.returning_of(items, returning);
        (seq!["UPDATE ", target, " SET ", sets, from, filter, returning], table)
    }

    fn delete_from(&mut self, returning: Option<&mut Vec<Col>>) -> (Tree, &'static Table) {
        let (table, alias) = self.changed();
        let target = self.target(table, &alias);
        self.scopes.push(Scope { items: vec![of_target(table, &alias)], ..Scope::default() });
        let using =
            if self.chance(20) { seq![" USING ", self.others()].mark(Feature::DeleteUsing) } else { Tree::NOTHING };
        let filter = self.filter();
        let items = self.scopes.pop().map(|scope| scope.items).unwrap_or_default();
        let returning = self.returning_of(items, returning);
        (seq!["DELETE FROM ", target, using, filter, returning], table)
    }

    fn changed(&mut self) -> (&'static Table, String) {
        let table = &TABLES[self.below(TABLES.len())];
        let alias = if self.chance(35) { self.new_alias() } else { table.name.to_owned() };
        (table, alias)
    }

    /// Items beside the target, whose aliases differ from the target's.
    fn others(&mut self) -> Tree {
        let Some(scope) = self.scopes.last_mut() else { return Tree::NOTHING };
        let target = scope.items.clone();
        // Joins among them do not see the target, and it does not see the joins.
        let mut taken = target.clone();
        taken.iter_mut().for_each(|item| item.columns.clear());
        scope.items = taken;
        let tree = self.items();
        if let Some(scope) = self.scopes.last_mut() {
            scope.items.splice(..target.len(), target);
        }
        tree
    }

    fn filter(&mut self) -> Tree {
        if !self.chance(88) {
            return Tree::NOTHING;
        }
        let condition = self.condition();
        seq![" WHERE ", condition].optional()
    }

    /// `a = …, (b, c) = (…)`.
    pub(crate) fn sets(&mut self, table: &Table, excluded: bool) -> Tree {
        let columns: Vec<_> =
            table.columns.iter().filter(|(name, _)| !table.computed.contains(name)).copied().collect();
        let start = self.below(columns.len());
        let plain: Vec<_> = columns[start..].iter().chain(&columns[..start]).copied().collect();
        let is_key = |name: &str| table.key.contains(&name) || table.refers.iter().any(|(of, ..)| *of == name);
        let mut sets = Vec::new();
        for (name, ty) in plain.iter().take(1 + self.below(2)) {
            if is_key(name) && self.chance(70) {
                continue;
            }
            sets.push(self.set(name, *ty, excluded, is_key(name)));
        }
        if let [(first, of_first), (second, of_second)] =
            plain[plain.len().min(2)..].iter().take(2).collect::<Vec<_>>()[..]
            && self.chance(15)
        {
            let query = self.query(&Want { single: true, ..Want::types(vec![*of_first, *of_second]) });
            let (first, second) = (self.name(first), self.name(second));
            sets.push(seq!["(", first, ", ", second, ") = (", query.tree, ")"].mark(Feature::UpdateRow));
        }
        if sets.is_empty() {
            let (name, ty) = plain.iter().find(|(name, _)| !is_key(name)).copied().unwrap_or(plain[0]);
            sets.push(self.set(name, ty, excluded, false));
        }
        Tree::list(sets, ", ", 1)
    }

    fn set(&mut self, name: &str, ty: Ty, excluded: bool, key: bool) -> Tree {
        let written = self.name(name);
        let value = match self.below(8) {
            0 => Tree::from("DEFAULT"),
            1 | 2 if excluded => seq!["excluded.", self.name(name)].mark(Feature::Excluded),
            _ => self.expr(ty),
        };
        let tree = seq![written, " = ", value];
        if key { tree.mark(Feature::KeyChange) } else { tree }
    }

    fn returning_of(&mut self, mut items: Vec<Item>, wanted: Option<&mut Vec<Col>>) -> Tree {
        if items.is_empty() {
            return Tree::NOTHING;
        }
        let target = items.remove(0);
        self.returning(target, items, wanted)
    }

    /// `RETURNING`; with `wanted` it gives named columns, and says which.
    pub(crate) fn returning(&mut self, target: Item, others: Vec<Item>, wanted: Option<&mut Vec<Col>>) -> Tree {
        if wanted.is_none() && !self.chance(35) {
            return Tree::NOTHING;
        }
        let alone = others.is_empty();
        let columns = target.columns.clone();
        let items = std::iter::once(target).chain(others).collect();
        self.scopes.push(Scope { items, joining: !alone, ..Scope::default() });
        let tree = match wanted {
            None if self.chance(30) => Tree::from("*").mark(Feature::ReturningStar),
            None => {
                let count = 1 + self.below(2);
                let mut outputs = Vec::new();
                for _ in 0..count {
                    let ty = self.ty();
                    outputs.push(self.expr(ty));
                }
                Tree::list(outputs, ", ", 1)
            }
            Some(given) => {
                let column = self.pick(&columns);
                let ty = self.ty();
                let (name, more) = (self.scopes[self.scopes.len() - 1].items[0].alias.clone(), self.expr(ty));
                let written =
                    seq![self.name(&name), ".", self.name(&column.name), " AS r0, (", more, ")::", ty.name(), " AS r1"];
                given.extend([Col { name: "r0".to_owned(), ty: column.ty }, Col { name: "r1".to_owned(), ty }]);
                written
            }
        };
        self.scopes.pop();
        seq![" RETURNING ", tree].mark(Feature::Returning)
    }

    /// A `MERGE`.
    pub(crate) fn merge(&mut self) -> Statement {
        let (table, alias) = self.changed();
        let target = self.target(table, &alias);
        self.scopes.push(Scope { items: vec![of_target(table, &alias)], joining: true, ..Scope::default() });
        let Some((key, ty)) = table.key.first().and_then(|key| table.columns.iter().find(|(name, _)| name == key))
        else {
            self.scopes.clear();
            return self.delete();
        };
        let query = self.outside(|draw| draw.query(&Want { named: true, ..Want::types(vec![*ty, Ty::Int, Ty::Text]) }));
        let source = Item { alias: "src".to_owned(), columns: query.columns.clone(), ..Item::of_query() };
        let [first, ..] = query.columns.as_slice() else {
            self.scopes.clear();
            return self.delete();
        };
        let on = seq![self.name(&alias), ".", self.name(key), " = src.", self.name(&first.name)];
        if let Some(scope) = self.scopes.last_mut() {
            scope.items.push(source.clone());
        }
        let arms = self.arms(table, &source);
        self.scopes.pop();
        let tree = seq!["MERGE INTO ", target, " USING (", query.tree, ") AS src ON ", on, arms].mark(Feature::Merge);
        Statement { kind: Kind::Update(table.name.to_owned()), tree }
    }

    fn arms(&mut self, table: &Table, source: &Item) -> Tree {
        let mut arms = Vec::new();
        if self.chance(60) {
            let and = if self.chance(40) { seq![" AND (", self.condition(), ")"] } else { Tree::NOTHING };
            let what = match self.below(3) {
                0 => Tree::from("DELETE"),
                1 => Tree::from("DO NOTHING"),
                _ => seq!["UPDATE SET ", self.sets(table, false)],
            };
            arms.push(seq![" WHEN MATCHED", and, " THEN ", what]);
        }
        if arms.is_empty() || self.chance(60) {
            let target = self.scopes.last_mut().map(|scope| std::mem::replace(&mut scope.items, vec![source.clone()]));
            let (mut names, mut values) = (Vec::new(), Vec::new());
            for (name, ty) in table.columns.iter().filter(|(name, _)| !table.computed.contains(name)) {
                names.push(self.name(name));
                values.push(if self.chance(10) { Tree::from("DEFAULT") } else { self.leaf(*ty) });
            }
            arms.push(seq![" WHEN NOT MATCHED THEN INSERT (", Tree::all(names), ") VALUES (", Tree::all(values), ")"]);
            if let (Some(scope), Some(items)) = (self.scopes.last_mut(), target) {
                scope.items = items;
            }
        }
        Tree::list(arms, "", 1)
    }
}
