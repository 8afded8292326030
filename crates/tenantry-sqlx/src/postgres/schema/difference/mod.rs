//! What differs between the shared schema and what it should be, as the statements that make it so.
//!
//! | module | what it compares |
//! |---|---|
//! | `columns` | columns of tables, new tables |
//! | `keys` | constraints and indexes |
//! | `sequences` | sequences |
//! | `numbers` | what gives identities their numbers |

mod columns;
mod keys;
mod numbers;
mod sequences;

use std::fmt::{self, Write as _};

use tenantry_sql::{Name, Quoted, SHARED_SCHEMA};

use super::{
    model::{Model, Security, Table},
    shape::POLICY,
};

/// A difference, and the statement that ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What is not as it should be.
    pub(super) what: String,
    /// The statement.
    pub(super) sql: String,
}

impl Step {
    fn new(what: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { what: what.into(), sql: sql.into() }
    }
}

/// Renames columns. They are the same ones by their numbers.
pub(super) fn renames(actual: &Model, expected: &Model) -> Vec<Step> {
    let mut steps = Vec::new();
    for (name, table) in &expected.tables {
        if let Some(present) = actual.tables.get(name) {
            columns::renames(name, present, table, &mut steps);
        }
    }
    steps
}

/// The statements that make `actual` what is `expected`, in an order in which they can run. `using` has expressions for
/// columns whose types change; `role` is the application's.
pub(super) fn difference(actual: &Model, expected: &Model, using: &[(Name, String)], role: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let none = Table::default();
    for (name, table) in &actual.tables {
        numbers::drop(name, table, expected.tables.get(name), &mut steps);
    }
    // What refers goes first and comes last.
    for kinds in [keys::FOREIGN, keys::OTHER] {
        for (name, table) in &actual.tables {
            match expected.tables.get(name) {
                Some(expected) => keys::drop(name, table, expected, kinds, &mut steps),
                // All others go with the table.
                None if kinds == keys::FOREIGN => keys::drop(name, table, &none, kinds, &mut steps),
                None => {}
            }
        }
    }
    for name in actual.tables.keys().filter(|name| !expected.tables.contains_key(*name)) {
        steps.push(Step::new(
            format!("table {name} is none of the application's"),
            format!("DROP TABLE {}", Shared(name)),
        ));
    }
    sequences::create(actual, expected, &mut steps);
    for (name, table) in &expected.tables {
        match actual.tables.get(name) {
            Some(present) => columns::alter(name, present, table, expected, using, &mut steps),
            None => columns::create(name, table, expected, &mut steps),
        }
    }
    sequences::alter(actual, expected, role, &mut steps);
    for kinds in [keys::OTHER, keys::FOREIGN] {
        for (name, table) in &expected.tables {
            keys::create(name, actual.tables.get(name).unwrap_or(&none), table, kinds, &mut steps);
        }
    }
    for (name, table) in &expected.tables {
        numbers::create(name, actual.tables.get(name), table, &mut steps);
    }
    let forced_again = !steps.is_empty();
    for (name, table) in &expected.tables {
        let present = actual.tables.get(name).unwrap_or(&none);
        secure(name, &present.security, &table.security, forced_again, &mut steps);
        if present.grants != table.grants {
            let privileges = table.grants.iter().map(String::as_str).collect::<Vec<_>>();
            grant("TABLE", SHARED_SCHEMA, name, &privileges, role, &mut steps);
        }
    }
    steps
}

/// Gives the application's role these privileges and nobody any other.
pub(super) fn grant(kind: &str, schema: &str, name: &str, privileges: &[&str], role: &str, steps: &mut Vec<Step>) {
    let on = format!("{kind} {}.{}", Quoted::new(schema), Quoted::new(name));
    let sql = format!(
        "REVOKE ALL ON {on} FROM PUBLIC, {role}; GRANT {} ON {on} TO {role}",
        privileges.join(", "),
        role = Quoted::new(role)
    );
    steps
        .push(Step::new(format!("privileges on {schema}.{name} are not those that the application's role needs"), sql));
}

/// What PostgreSQL itself lets pass, whatever a statement says.
fn secure(name: &str, actual: &Security, expected: &Security, forced_again: bool, steps: &mut Vec<Step>) {
    let table = Shared(name);
    if !expected.enabled {
        return;
    }
    if !actual.enabled {
        let what = format!("row-level security of table {name} is switched off");
        steps.push(Step::new(what, format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")));
    }
    if actual.policies != expected.policies {
        let mut sql = String::new();
        for policy in &actual.policies {
            let policy = policy.split('\n').next().unwrap_or_default();
            write!(sql, "DROP POLICY {} ON {table}; ", Quoted::new(policy)).ok();
        }
        let condition = "_tenant = current_setting('tenantry.tenant')::bigint";
        write!(sql, "CREATE POLICY {POLICY} ON {table} USING ({condition}) WITH CHECK ({condition})").ok();
        steps.push(Step::new(format!("table {name} has not the one policy that keeps tenants apart"), sql));
    }
    // Foreign keys are checked without it.
    let unforced = forced_again && steps.iter().any(|step| step.sql.contains(&unforce(name)));
    if !actual.forced || unforced {
        let what = format!("row-level security of table {name} is not forced on its owner");
        steps.push(Step::new(what, format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY")));
    }
}

/// Lets the owner see all rows, for as long as keys are checked.
fn unforce(name: &str) -> String {
    format!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", Shared(name))
}

/// A name in the shared schema.
struct Shared<'a>(&'a str);

impl fmt::Display for Shared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Quoted::new(SHARED_SCHEMA), Quoted::new(self.0))
    }
}
