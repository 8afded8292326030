//! `CREATE TRIGGER`: its statements run for the tenant whose row was written.

use bumpalo::Bump;
use sqlite3_parser::ast::{QualifiedName, Stmt, TriggerCmd, TriggerEvent, TriggerTime};

use super::{
    Checked, TenantTerm,
    names::{is, plain, unquoted},
    no, only_statement, tokens,
    walk::Walk,
    write::Reads,
};
use crate::{Name, Refused, Relation, SchemaMap};

/// Accepts a scoped `CREATE TRIGGER` whose statements can reach no rows but those of the tenant whose row fires it.
///
/// # Errors
///
/// [`Code::Unverified`](crate::Code::Unverified), with the check that failed.
pub fn verify_trigger(text: &str, schema: &SchemaMap) -> Result<(), Refused> {
    let bump = Bump::new();
    // Which of the two rows does not matter for the tokens.
    let census = tokens::census(text, TenantTerm::New)?;
    let Stmt::CreateTrigger {
        temporary: false,
        if_not_exists: _,
        trigger_name,
        time: Some(TriggerTime::Before | TriggerTime::After) | None,
        event,
        tbl_name,
        for_each_row: _,
        when_clause,
        commands,
    } = only_statement(&bump, text)?
    else {
        return no("trigger: not one on a table of the file");
    };
    let tenant = match &event {
        TriggerEvent::Insert | TriggerEvent::Update | TriggerEvent::UpdateOf(_) => TenantTerm::New,
        TriggerEvent::Delete => TenantTerm::Old,
    };
    if let TriggerEvent::UpdateOf(columns) = &event {
        columns.iter().try_for_each(|column| plain(column.0))?;
    }
    in_main(&trigger_name)?;
    in_main(&tbl_name)?;
    match schema.relation(&Name::new(unquoted(tbl_name.name.0))) {
        Some(Relation::Tenant(_)) => {}
        Some(Relation::Global(_) | Relation::View(_)) | None => return no("trigger: its table is not the tenants'"),
    }
    let mut walk = Walk::new(schema, tenant);
    walk.optional(when_clause.as_ref())?;
    if walk.accepted.reserved != 0 {
        return no("trigger: WHEN names the tenant");
    }
    commands.iter().try_for_each(|command| walk.command(command))?;
    walk.finish(census)
}

/// A name in `main`, whether it says so or not.
fn in_main(name: &QualifiedName<'_>) -> Checked {
    match &name.db_name {
        Some(schema) if !is(schema.0, "main") => no("trigger: a schema other than main"),
        Some(_) | None => plain(name.name.0),
    }
}

impl Walk<'_> {
    fn command(&mut self, command: &TriggerCmd<'_>) -> Checked {
        match command {
            TriggerCmd::Update { or_conflict: _, tbl_name, sets, from, where_clause } => {
                let reads = Reads { with: None, from: from.as_ref(), returning: None };
                self.update(tbl_name, None, sets, where_clause.as_ref(), &reads)
            }
            TriggerCmd::Insert { or_conflict: _, tbl_name, col_names, select, upsert } => {
                self.insert_rows(tbl_name, col_names.as_ref(), select, *upsert)
            }
            TriggerCmd::Delete { tbl_name, where_clause } => {
                let reads = Reads { with: None, from: None, returning: None };
                self.delete(tbl_name, None, where_clause.as_ref(), &reads)
            }
            TriggerCmd::Select(select) => self.select(select),
        }
    }
}
