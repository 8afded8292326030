//! Triggers that give the identities of shared tables their numbers.

use tenantry_sql::Quoted;

use super::{
    super::model::{Table, Trigger},
    Shared, Step,
};

/// Those that are not to be there, or stand in the way of what columns become.
pub(super) fn drop(name: &str, actual: &Table, expected: Option<&Table>, steps: &mut Vec<Step>) {
    for (trigger, present) in &actual.triggers {
        if !expected.is_some_and(|expected| stays(trigger, present, actual, expected)) {
            let what = format!("trigger {trigger} of {name} is not the one that numbers the tenant's rows");
            steps.push(Step::new(what, format!("DROP TRIGGER {} ON {}", Quoted::new(trigger), Shared(name))));
        }
    }
}

/// Those that are missing.
pub(super) fn create(name: &str, actual: Option<&Table>, expected: &Table, steps: &mut Vec<Step>) {
    for (trigger, wanted) in &expected.triggers {
        let stays = |actual: &Table| {
            actual.triggers.get(trigger).is_some_and(|present| stays(trigger, present, actual, expected))
        };
        let column = wanted.columns.parse().ok().and_then(|number| expected.columns.get(&number));
        let Some(column) = column.filter(|_| !actual.is_some_and(stays)) else { continue };
        let Trigger { function, body, .. } = wanted;
        let (table, column, quoted) = (Shared(name), Quoted::new(&column.name), Quoted::new(trigger));
        let sql = format!(
            "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $_tenant${body}$_tenant$; \
             CREATE OR REPLACE TRIGGER {quoted} BEFORE INSERT OR UPDATE OF {column} ON {table} \
             FOR EACH ROW EXECUTE FUNCTION {function}()"
        );
        steps.push(Step::new(format!("trigger {trigger} of {name}, which numbers the tenant's rows, is missing"), sql));
    }
}

/// Whether it is as it should be, and its columns keep their types: the server changes none that a trigger names.
fn stays(trigger: &str, present: &Trigger, actual: &Table, expected: &Table) -> bool {
    let retyped = |(number, column): (&i16, &super::super::model::Column)| {
        actual.columns.get(number).is_some_and(|present| present.kind != column.kind)
    };
    expected.triggers.get(trigger) == Some(present) && !expected.columns.iter().any(retyped)
}
