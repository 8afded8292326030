//! Sequences of the shared schema. One gives numbers to all tenants.

use tenantry_sql::{Quoted, SHARED_SCHEMA};

use super::{
    super::{
        model::{Column, Model, Sequence},
        numbering,
    },
    Shared, Step, grant,
};

/// Sequences that are missing, besides those of identity columns, which come with them.
pub(super) fn create(actual: &Model, expected: &Model, steps: &mut Vec<Step>) {
    for (name, sequence) in &expected.sequences {
        if actual.sequences.contains_key(name) {
            continue;
        }
        match renamed(name, sequence, actual, expected) {
            Some(old) => {
                let sql = format!("ALTER SEQUENCE {} RENAME TO {}", Shared(old), Quoted::new(name));
                steps.push(Step::new(format!("sequence {name} is called {old}"), sql));
            }
            None if sequence.is_identity => {}
            None => {
                let sql = format!("CREATE SEQUENCE {} AS {} {}", Shared(name), sequence.kind, options(sequence));
                steps.push(Step::new(format!("sequence {name} is missing"), sql));
            }
        }
    }
}

/// What has become of sequences, and who owns them.
pub(super) fn alter(actual: &Model, expected: &Model, role: &str, steps: &mut Vec<Step>) {
    for (name, sequence) in &expected.sequences {
        let there = actual.sequences.get(name);
        let present = there.or_else(|| actual.sequences.get(renamed(name, sequence, actual, expected)?));
        let is_new = present.is_none();
        // An identity's own sequence has the type of its column, and came with these options.
        if present.is_some_and(|present| plain(present) != plain(sequence)) {
            let kind = if sequence.is_identity { String::new() } else { format!("AS {} ", sequence.kind) };
            // Where it stands may be nowhere in another range.
            let replaced = |sequence| numbering::gives_marks(sequence);
            let restart = if present.map(replaced) != Some(replaced(sequence)) { " RESTART" } else { "" };
            let sql = format!("ALTER SEQUENCE {} {kind}{}{restart}", Shared(name), options(sequence));
            steps.push(Step::new(format!("sequence {name} is declared otherwise"), sql));
        }
        let owner = |sequence: &Sequence| sequence.owner_table.clone().zip(sequence.owner_column.clone());
        if !sequence.is_identity && present.and_then(owner) != owner(sequence) {
            let by = match owner(sequence) {
                Some((table, column)) => format!("{}.{}", Shared(&table), Quoted::new(&column)),
                None => "NONE".to_owned(),
            };
            let sql = format!("ALTER SEQUENCE {} OWNED BY {by}", Shared(name));
            steps.push(Step::new(format!("sequence {name} belongs to another column"), sql));
        }
        if is_new || present.is_some_and(|present| present.grants != sequence.grants) {
            grant("SEQUENCE", SHARED_SCHEMA, name, &["USAGE"], role, steps);
        }
    }
    for (name, sequence) in &actual.sequences {
        let is_renamed = expected.sequences.iter().any(|(new, wanted)| {
            !actual.sequences.contains_key(new) && renamed(new, wanted, actual, expected) == Some(name)
        });
        if !expected.sequences.contains_key(name) && !is_renamed && !sequence.is_identity {
            // It may have gone with its column.
            let sql = format!("DROP SEQUENCE IF EXISTS {}", Shared(name));
            steps.push(Step::new(format!("sequence {name} is none of the application's"), sql));
        }
    }
}

/// How the numbers of an identity column are made.
pub(super) fn identity(table: &str, column: &Column, model: &Model) -> String {
    let when = if column.identity == "a" { "ALWAYS" } else { "BY DEFAULT" };
    let own = model.sequences.iter().find(|(_, sequence)| {
        sequence.is_identity
            && sequence.owner_table.as_deref() == Some(table)
            && sequence.owner_column.as_deref() == Some(column.name.as_str())
    });
    match own {
        Some((name, sequence)) => {
            format!("GENERATED {when} AS IDENTITY (SEQUENCE NAME {} {})", Shared(name), options(sequence))
        }
        None => format!("GENERATED {when} AS IDENTITY"),
    }
}

/// What the sequence was called that has this name now.
fn renamed<'a>(new: &str, sequence: &Sequence, actual: &'a Model, expected: &Model) -> Option<&'a String> {
    if actual.sequences.contains_key(new) {
        return None;
    }
    let mut old = actual.sequences.iter().filter(|(name, old)| {
        !expected.sequences.contains_key(*name)
            && plain(old) == plain(sequence)
            && (&old.owner_table, &old.owner_column) == (&sequence.owner_table, &sequence.owner_column)
    });
    old.next().map(|(name, _)| name)
}

fn plain(sequence: &Sequence) -> (&str, i64, i64, i64, i64, i64, bool) {
    let Sequence { kind, start, increment, maximum, minimum, cache, cycle, .. } = sequence;
    (kind, *start, *increment, *maximum, *minimum, *cache, *cycle)
}

fn options(sequence: &Sequence) -> String {
    let Sequence { start, increment, maximum, minimum, cache, cycle, .. } = sequence;
    let cycle = if *cycle { "CYCLE" } else { "NO CYCLE" };
    format!("INCREMENT BY {increment} MINVALUE {minimum} MAXVALUE {maximum} START WITH {start} CACHE {cache} {cycle}")
}
