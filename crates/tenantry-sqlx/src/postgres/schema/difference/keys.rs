//! Constraints and indexes of shared tables.

use tenantry_sql::{Quoted, SHARED_SCHEMA};

use super::{
    super::model::{Index, Table},
    Shared, Step, unforce,
};

/// Which constraints are looked at.
pub(super) type Kinds = &'static [&'static str];

/// Those that refer to other tables.
pub(super) const FOREIGN: Kinds = &["f"];

/// All others; and indexes with them.
pub(super) const OTHER: Kinds = &["p", "u", "x", "c"];

/// What is not to be there any more. What has only another name gets that.
pub(super) fn drop(name: &str, actual: &Table, expected: &Table, kinds: Kinds, steps: &mut Vec<Step>) {
    let table = Shared(name);
    for (constraint_name, constraint) in &actual.constraints {
        let wanted = expected.constraints.get(constraint_name).is_some_and(|wanted| wanted.text == constraint.text);
        if wanted || !kinds.contains(&constraint.kind.as_str()) {
            continue;
        }
        let (old, what) = (
            Quoted::new(constraint_name),
            format!("constraint {constraint_name} of {name} is none of the application's"),
        );
        let sql = match renamed_constraint(constraint_name, actual, expected) {
            Some(new) => format!("ALTER TABLE {table} RENAME CONSTRAINT {old} TO {}", Quoted::new(new)),
            None => format!("ALTER TABLE {table} DROP CONSTRAINT {old}"),
        };
        steps.push(Step::new(what, sql));
    }
    if kinds == FOREIGN {
        return;
    }
    for (index_name, index) in &actual.indexes {
        if expected.indexes.get(index_name) == Some(index) {
            continue;
        }
        let what = format!("index {index_name} of {name} is none of the application's, with the tenant in front");
        let sql = match renamed_index(index_name, actual, expected) {
            Some(new) => format!("ALTER INDEX {} RENAME TO {}", Shared(index_name), Quoted::new(new)),
            None => format!("DROP INDEX {}", Shared(index_name)),
        };
        steps.push(Step::new(what, sql));
    }
}

/// What is missing.
pub(super) fn create(name: &str, actual: &Table, expected: &Table, kinds: Kinds, steps: &mut Vec<Step>) {
    let table = Shared(name);
    for (constraint_name, constraint) in &expected.constraints {
        let there = actual.constraints.get(constraint_name).is_some_and(|there| there.text == constraint.text);
        let is_new_name =
            actual.constraints.keys().any(|old| renamed_constraint(old, actual, expected) == Some(constraint_name));
        if there || is_new_name || !kinds.contains(&constraint.kind.as_str()) {
            continue;
        }
        let add = format!("ALTER TABLE {table} ADD CONSTRAINT {} {}", Quoted::new(constraint_name), constraint.text);
        let sql = match &constraint.foreign {
            // All tenants' rows are checked, for which no policy may be in the way.
            Some(foreign) => format!("{}; {}; {add}", unforce(name), unforce(&foreign.parent)),
            None => add,
        };
        steps.push(Step::new(format!("constraint {constraint_name} of {name} is missing"), sql));
    }
    if kinds == FOREIGN {
        return;
    }
    for (index_name, index) in &expected.indexes {
        let is_new_name = actual.indexes.keys().any(|old| renamed_index(old, actual, expected) == Some(index_name));
        if actual.indexes.get(index_name) != Some(index) && !is_new_name {
            steps.push(Step::new(format!("index {index_name} of {name} is missing"), created(name, index_name, index)));
        }
    }
}

fn created(table: &str, name: &str, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (name, schema, table) = (Quoted::new(name), Quoted::new(SHARED_SCHEMA), Quoted::new(table));
    let tail = index.tail.as_deref().unwrap_or_default();
    format!("CREATE {unique}INDEX {name} ON {schema}.{table} USING {} ({tail}", index.method)
}

/// The name that a constraint has now which was called `old`.
fn renamed_constraint<'e>(old: &str, actual: &Table, expected: &'e Table) -> Option<&'e String> {
    let constraint = actual.constraints.get(old)?;
    if expected.constraints.get(old).is_some_and(|wanted| wanted.text == constraint.text) {
        return None;
    }
    let mut new = expected.constraints.iter().filter(|(name, new)| {
        new.text == constraint.text && new.kind == constraint.kind && !actual.constraints.contains_key(*name)
    });
    let first_old = actual
        .constraints
        .iter()
        .find(|(name, other)| other.text == constraint.text && !expected.constraints.contains_key(*name));
    // Of several that are equal, one can be told from another by nothing.
    new.next().map(|(name, _)| name).filter(|_| first_old.is_some_and(|(name, _)| name == old))
}

/// The name that an index has now which was called `old`.
fn renamed_index<'e>(old: &str, actual: &Table, expected: &'e Table) -> Option<&'e String> {
    let index = actual.indexes.get(old)?;
    if expected.indexes.contains_key(old) {
        return None;
    }
    let mut new = expected.indexes.iter().filter(|(name, new)| *new == index && !actual.indexes.contains_key(*name));
    let first_old =
        actual.indexes.iter().find(|(name, other)| *other == index && !expected.indexes.contains_key(*name));
    new.next().map(|(name, _)| name).filter(|_| first_old.is_some_and(|(name, _)| name == old))
}
