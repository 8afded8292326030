//! Migrations: the application's definitions turned into those of the shared schema.
//!
//! A definition is lowered with the places of its parts, and the statement for the shared table is put together from
//! those parts, as they are written: columns and checks stay, keys are prefixed by the tenant. Nothing is looked up but
//! the facts in the schema map; that a statement makes sense on the application's own schema is for SQLite to say, there.

mod alter;
mod change;
pub(crate) mod definition;
mod drop;
mod expression;
mod facts;
mod index;
mod key;
mod meaning;
mod script;
mod stored;
mod table;
mod trigger;
mod view;
pub(crate) mod words;

use std::collections::HashSet;

pub use self::{
    change::{Change, ChangeKind, Step},
    meaning::meaning,
    script::statements,
    stored::Rewrite,
};
use self::{
    definition::{Defines, Definition},
    words::Words,
};
use super::lower;
use crate::{
    Code, Limits, Name, Refused, SchemaMap,
    ir::{Pragma, TableRef},
};

/// What the conversion of a statement depends on besides the statement.
#[derive(Clone, Copy, Debug)]
pub struct Conversion<'a> {
    /// The application's schema as it is before the statement.
    pub schema: &'a SchemaMap,
    /// Bounds on the statement.
    pub limits: &'a Limits,
    /// The tables that all tenants read and none may change.
    pub globals: &'a HashSet<Name>,
    /// The number that a table of tenants gets when it is created.
    pub next_number: i64,
}

/// Converts one statement of a migration into what is to be done to the shared schema.
///
/// The statement is expected to be one that SQLite has already run on the application's own schema: what SQLite itself
/// refuses is not checked here, though it never becomes harmful.
///
/// # Errors
///
/// A refusal, if there is no shared form of it that behaves as the application's own would.
pub fn convert(statement: &str, conversion: &Conversion<'_>) -> Result<Change, Refused> {
    let definition = lower::parse_definition(statement, conversion.limits)?;
    let Definition { kind, span, parameters, comments } = definition;
    if let Some(parameter) = parameters.first() {
        let refused = Refused::new(Code::Unknown, "a parameter in a definition").at(statement, *parameter);
        return Err(refused.hint("write the value"));
    }
    let words = Words { text: statement, comments: &comments };
    match kind {
        Defines::Table(table) => table::create(&table, span, &words, conversion),
        Defines::Index(index) => index::create(&index, span, &words, conversion),
        Defines::View(view) => view::create(&view, &words, conversion),
        Defines::Trigger(trigger) => trigger::create(*trigger, span, &comments, statement, conversion),
        Defines::Drop(drop) => drop::drop(&drop, &words, conversion),
        Defines::Alter(alter) => alter::alter(alter, span, &words, conversion),
        Defines::Transaction => Ok(Change::run(ChangeKind::Pass, words.at(span))),
        Defines::Pragma(pragma) if passes(&pragma) => Ok(Change::run(ChangeKind::Pass, words.at(span))),
        Defines::Pragma(_) | Defines::Rows => Ok(Change::new(ChangeKind::Rows, [])),
    }
}

impl Conversion<'_> {
    /// Whether a name is one of the database that tenants share.
    fn in_main(&self, named: &TableRef, text: &str) -> Result<(), Refused> {
        let Some(schema) = named.schema.as_ref().filter(|schema| !schema.name.is("main")) else { return Ok(()) };
        let code = if schema.name.is("temp") { Code::Temporary } else { Code::Relation };
        Err(Refused::new(code, format!("schema {}", schema.name.quoted())).at(text, schema.span))
    }
}

/// The settings that migrations use, and that end with them. Whoever runs the migration restores them.
fn passes(pragma: &Pragma) -> bool {
    let is_off = |value: &str| ["off", "no", "false", "0"].iter().any(|off| value.eq_ignore_ascii_case(off));
    match pragma.name.name.as_str().to_ascii_lowercase().as_str() {
        "foreign_keys" | "defer_foreign_keys" | "foreign_key_check" => true,
        // What triggers name has to be renamed with a table.
        "legacy_alter_table" => pragma.argument.as_deref().is_none_or(is_off),
        _ => false,
    }
}
