//! `CREATE TRIGGER`: its statements are scoped as any others, with the tenant of the row that the trigger is about.

use super::{Change, ChangeKind, Conversion, definition::CreateTrigger};
use crate::{
    Code, Dialect, Refused, Relation, Span,
    bind::{self, Bound},
    classify,
    edit::Tenant,
    ir::{Kind, Statement},
    splice::Edits,
    splicing::Splicing,
};

pub(super) fn create(
    trigger: CreateTrigger,
    span: Span,
    comments: &[Span],
    text: &str,
    conversion: &Conversion<'_>,
) -> Result<Change, Refused> {
    conversion.in_main(&trigger.trigger, text)?;
    conversion.in_main(&trigger.table, text)?;
    let (name, of) = (trigger.trigger.name.name.clone(), trigger.table.name.name.clone());
    let refuse = |code, construct: &str, hint: &'static str| {
        let refused = Refused::new(code, format!("{construct} {}", of.quoted())).at(text, trigger.table.named);
        Err(refused.hint(hint))
    };
    let on_table = "put the trigger on a table of the tenants, or do it in the application";
    let table = match conversion.schema.relation(&of) {
        _ if trigger.instead_of => return refuse(Code::Ddl, "INSTEAD OF trigger on", on_table),
        Some(Relation::Tenant(table)) => table,
        Some(Relation::Global(_)) => return refuse(Code::Ddl, "trigger on global table", on_table),
        Some(Relation::View(_)) => return refuse(Code::Ddl, "trigger on view", on_table),
        None => return refuse(Code::Relation, "table", Code::Relation.hint()),
    };
    let tenant = if trigger.on_delete { Tenant::Old } else { Tenant::New };
    let splicing = Splicing::new(conversion.schema, conversion.limits, tenant);
    let mut edits = Edits::default();
    edits.replace(trigger.trigger.named, format!("\"main\".{}", name.quoted()));
    edits.replace(trigger.table.named, table.name.quoted().to_string());
    let mut comments = Some(comments.to_vec());
    for kind in trigger.when.map(Kind::Condition).into_iter().chain(trigger.commands) {
        // Comments are those of the whole definition.
        let comments = comments.take().unwrap_or_default();
        let statement = Statement { kind, parameters: Vec::new(), comments, reworded: Vec::new() };
        let bound = bind::bind_in_trigger(&statement, text, conversion.schema, table)?;
        classify::functions(&bound, text, conversion.schema, Dialect::Sqlite)?;
        check_last_row(&bound, text)?;
        splicing.edit(text, &statement, &bound, &mut edits)?;
    }
    let spliced = edits.apply_within(text, span);
    Ok(Change::run(ChangeKind::CreateTrigger { name, table: of }, spliced))
}

/// Within a trigger the database itself says what was inserted last, and in tables without row ids it does not notice.
fn check_last_row(bound: &Bound<'_>, text: &str) -> Result<(), Refused> {
    match bound.functions.iter().find(|function| function.name.name.is("last_insert_rowid")) {
        None => Ok(()),
        Some(function) => {
            let refused = Refused::new(Code::SharedState, "last_insert_rowid() in a trigger");
            Err(refused.at(text, function.name.span).hint("use NEW and the INTEGER PRIMARY KEY of the table"))
        }
    }
}
