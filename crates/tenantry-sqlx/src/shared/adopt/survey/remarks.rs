//! What there is to say about an object.

use tenantry_sql::{Action, Limits, Name, RowId, Table, meaning};

use super::{
    super::{contents::table, rows::row_id_of},
    Verdict,
};
use crate::{SqliteOptions, shared::template::Object};

/// A table with more rows is no list that everybody shares.
const REFERENCE_ROWS_MAX: u64 = 1_000;

/// What becomes of an object, and what to say about it.
pub(super) fn judge(
    object: &Object,
    objects: &[Object],
    rows: Option<u64>,
    refusal: Option<String>,
    options: &SqliteOptions,
) -> (Verdict, Vec<String>) {
    if let Some(why) = refusal {
        return (Verdict::InTheWay, vec![why]);
    }
    match table(object, &options.limits) {
        Some(table) => of_table(&table, object, objects, rows, options),
        None if object.kind == "trigger" => (
            Verdict::Changed,
            vec!["its statements are scoped, with the tenant of the row that it fires for".to_owned()],
        ),
        None if object.kind == "view" => {
            (Verdict::AsIs, vec!["put in the place of its name where it is read".to_owned()])
        }
        None => (Verdict::AsIs, vec!["the tenant comes first in it".to_owned()]),
    }
}

fn of_table(
    table: &Table,
    object: &Object,
    objects: &[Object],
    rows: Option<u64>,
    options: &SqliteOptions,
) -> (Verdict, Vec<String>) {
    let (mut verdict, mut notes) = (Verdict::AsIs, Vec::new());
    if options.global.contains(&table.name) {
        notes.push(
            "belongs to all tenants (database.global): its rows have to be those of the shared database".to_owned(),
        );
        return (Verdict::Changed, notes);
    }
    match &table.row_id {
        RowId::Hidden if row_id_of(table).is_none() => {
            notes.push("columns called rowid, _rowid_ and oid hide its row ids: rename one of them".to_owned());
            return (Verdict::InTheWay, notes);
        }
        RowId::Hidden => {
            verdict = Verdict::Changed;
            notes.push("has no INTEGER PRIMARY KEY: its row ids are kept in a hidden column".to_owned());
        }
        RowId::Column(_) if table.auto_increment => notes.push("AUTOINCREMENT counts for each tenant".to_owned()),
        RowId::Column(_) => {}
        RowId::None => notes.push("WITHOUT ROWID: the tenant comes first in its key".to_owned()),
    }
    if is_strict(object, &options.limits) {
        notes.push("STRICT stays".to_owned());
    }
    let computed: Vec<_> =
        table.columns.iter().filter(|column| column.generated).map(|column| column.name.as_str()).collect();
    if !computed.is_empty() {
        notes.push(format!("computed again, and not copied: {}", computed.join(", ")));
    }
    for key in &table.foreign_keys {
        let sets = |action: &Action| matches!(action, Action::SetNull | Action::SetDefault(_));
        if sets(&key.on_delete) || sets(&key.on_update) {
            verdict = Verdict::Changed;
            notes.push(format!("the foreign key to {} sets its columns by a trigger", key.parent));
        }
        if !objects.iter().any(|other| other.kind == "table" && key.parent.is(&other.name)) {
            verdict = Verdict::Decide;
            notes.push(format!(
                "refers to {}, which does not exist: drop the foreign key, or create the table",
                key.parent
            ));
        }
    }
    if is_reference(table, objects, rows, &options.limits) {
        verdict = Verdict::Decide;
        notes.push(format!(
            "has few rows, others refer to it, and it refers to none: if it is the same for all and never changed by the \
             application, add {:?} to database.global",
            table.name.as_str()
        ));
    }
    (verdict, notes)
}

fn is_strict(object: &Object, limits: &Limits) -> bool {
    let facts = object.sql.as_ref().and_then(|sql| meaning(sql, &[].into(), limits).ok());
    facts.is_some_and(|facts| facts.iter().any(|fact| fact == "STRICT"))
}

/// Whether it looks like a list that everybody shares: countries, currencies.
fn is_reference(of: &Table, objects: &[Object], rows: Option<u64>, limits: &Limits) -> bool {
    let refers = |name: &Name, to: &Name| name != &of.name && to == &of.name;
    let tables = objects.iter().filter_map(|object| table(object, limits));
    let is_referred = tables.flat_map(|table| {
        let keys: Vec<_> = table.foreign_keys.iter().map(|key| key.parent.clone()).collect();
        keys.into_iter().map(move |parent| (table.name.clone(), parent))
    });
    let has_trigger = objects.iter().any(|object| object.kind == "trigger" && of.name.is(&object.tbl_name));
    let few = rows.is_some_and(|rows| (1..=REFERENCE_ROWS_MAX).contains(&rows));
    few && of.foreign_keys.is_empty()
        && !of.auto_increment
        && !has_trigger
        && is_referred.into_iter().any(|(name, parent)| refers(&name, &parent))
}
