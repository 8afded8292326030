//! What the verifier accepts, and for each check what it refuses.

mod fuzz;
mod positions;
mod reads;
mod statements;
mod triggers;
mod writes;

use std::sync::Arc;

use super::{TenantTerm, verify, verify_trigger};
use crate::{Code, Column, Name, PostgresFacts, Relation, RowId, SchemaMap, Table, View};

/// Tenants' `users` and `notes`, `logs` with a hidden row id, `old`; a global `countries`; a view `adults`.
pub(super) fn schema() -> SchemaMap {
    let table = |name: &str, columns: &[&str], row_id| {
        let columns = columns.iter().map(|name| Column { name: Name::from(*name), generated: false }).collect();
        Arc::new(Table {
            number: 1,
            name: Name::from(name),
            columns,
            row_id,
            auto_increment: false,
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            postgres: PostgresFacts::default(),
        })
    };
    let id = || RowId::Column(Name::from("id"));
    SchemaMap::new(
        1,
        [
            Relation::Tenant(table("users", &["id", "name"], id())),
            Relation::Tenant(table("notes", &["id", "user_id", "body"], id())),
            Relation::Tenant(table("logs", &["line"], RowId::Hidden)),
            Relation::Tenant(table("old", &["id"], id())),
            Relation::Tenant(table("json_each", &["id"], id())),
            Relation::Global(table("countries", &["code", "name"], RowId::None)),
            Relation::View(Arc::new(View { name: Name::from("adults"), columns: None, body: String::new() })),
        ],
    )
}

const LEAVES: &[(&str, &str)] = &[
    ("{users}", r#"(SELECT "id", "name" FROM "main"."users" WHERE "users"."_tenant" = ?9)"#),
    ("{notes}", r#"(SELECT "id", "user_id", "body" FROM "main"."notes" WHERE "notes"."_tenant" = ?9)"#),
    ("{logs}", r#"(SELECT "line" FROM "main"."logs" WHERE "logs"."_tenant" = ?9)"#),
    (
        "{logs+}",
        r#"(SELECT "line", "_tenant_rowid" AS "_tenant_rowid_1" FROM "main"."logs" WHERE "logs"."_tenant" = ?9)"#,
    ),
    ("{new users}", r#"(SELECT "id", "name" FROM "users" WHERE "users"."_tenant" = NEW."_tenant")"#),
    ("{old users}", r#"(SELECT "id", "name" FROM "users" WHERE "users"."_tenant" = OLD."_tenant")"#),
];

/// The text with the leaves put in.
pub(super) fn scoped(text: &str) -> String {
    LEAVES.iter().fold(text.to_owned(), |text, (name, leaf)| text.replace(name, leaf))
}

pub(super) const TENANT: TenantTerm = TenantTerm::Parameter(9);

#[track_caller]
pub(super) fn accept(text: &str) {
    if let Err(refused) = verify(&scoped(text), &schema(), TENANT) {
        panic!("refused: {refused}\n{text}");
    }
}

/// Refuses each text by the check that is named.
#[track_caller]
pub(super) fn refuse(check: &str, texts: &[&str]) {
    for text in texts {
        refused_by(check, text, verify(&scoped(text), &schema(), TENANT));
    }
}

#[track_caller]
pub(super) fn accept_trigger(text: &str) {
    if let Err(refused) = verify_trigger(&scoped(text), &schema()) {
        panic!("refused: {refused}\n{text}");
    }
}

#[track_caller]
pub(super) fn refuse_trigger(check: &str, texts: &[&str]) {
    for text in texts {
        refused_by(check, text, verify_trigger(&scoped(text), &schema()));
    }
}

#[track_caller]
fn refused_by(check: &str, text: &str, result: Result<(), crate::Refused>) {
    let Err(refused) = result else { panic!("accepted: {text}") };
    assert_eq!(refused.code, Code::Unverified, "{text}");
    assert!(refused.construct.starts_with(check), "{} instead of {check}\n{text}", refused.construct);
}
