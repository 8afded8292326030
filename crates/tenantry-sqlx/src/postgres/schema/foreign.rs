//! Foreign keys of shared tables.

use tenantry_sql::{SHARED_SCHEMA, TENANT};

use super::model::{Constraint, Foreign};

/// A foreign key as the application declared it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) constraint: &'a Constraint,
    pub(super) foreign: &'a Foreign,
    /// Whether all tenants read the table that has the key.
    pub(super) of_global: bool,
}

impl Key<'_> {
    /// The key of the shared table as the server prints it; or what to do instead.
    pub(super) fn shared(self, to_global: bool) -> Result<String, &'static str> {
        let Foreign { parent_schema, on_update, matching, .. } = self.foreign;
        if parent_schema != "public" {
            return Err("refer to a table of the application's, in public");
        }
        if self.printed("public", false, self.foreign) != self.constraint.text {
            return Err("this kind of foreign key is not known; declare it without its special clauses");
        }
        if self.of_global && !to_global {
            return Err("rows that all tenants read cannot refer to rows of one; turn it round, or leave it out");
        }
        let with_tenant = !self.of_global && !to_global;
        let mut foreign = self.foreign.clone();
        if with_tenant && (on_update == "n" || on_update == "d") {
            return Err("ON UPDATE SET NULL and SET DEFAULT would change the tenant too; use ON UPDATE CASCADE");
        }
        if with_tenant && matching == "f" {
            if self.constraint.columns.len() > 1 {
                return Err("leave MATCH FULL out, and say by a CHECK that all of its columns are null or none is");
            }
            // Of one column it says nothing.
            "s".clone_into(&mut foreign.matching);
        }
        if with_tenant && matches!(foreign.on_delete.as_str(), "n" | "d") && foreign.set_columns.is_empty() {
            foreign.set_columns.clone_from(&self.constraint.columns);
        }
        Ok(self.printed(SHARED_SCHEMA, with_tenant, &foreign))
    }

    /// In the words and the order of `pg_get_constraintdef`.
    fn printed(self, schema: &str, with_tenant: bool, foreign: &Foreign) -> String {
        let list = |columns: &[String]| {
            let tenant = with_tenant.then_some(TENANT);
            tenant.into_iter().chain(columns.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
        };
        let columns = list(&self.constraint.columns);
        let parent_columns = list(&foreign.parent_columns);
        let mut text =
            format!("FOREIGN KEY ({columns}) REFERENCES {schema}.{}({parent_columns})", foreign.parent_quoted);
        if foreign.matching == "f" {
            text.push_str(" MATCH FULL");
        }
        for (event, action) in [(" ON UPDATE ", &foreign.on_update), (" ON DELETE ", &foreign.on_delete)] {
            let words = match action.as_str() {
                "r" => "RESTRICT",
                "c" => "CASCADE",
                "n" => "SET NULL",
                "d" => "SET DEFAULT",
                _ => continue,
            };
            text.push_str(event);
            text.push_str(words);
        }
        if !foreign.set_columns.is_empty() {
            text.push_str(&format!(" ({})", foreign.set_columns.join(", ")));
        }
        for (is_so, words) in [
            (foreign.deferrable, " DEFERRABLE"),
            (foreign.deferred, " INITIALLY DEFERRED"),
            (!foreign.validated, " NOT VALID"),
        ] {
            text.push_str(if is_so { words } else { "" });
        }
        text
    }
}
