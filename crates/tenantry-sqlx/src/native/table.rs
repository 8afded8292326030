//! The physical form of what makes the ids of a shared table: two tables of our own, a column, and triggers.

use super::quoted;

/// The tables of Tenantry: one row for each table of the tenants, and how far AUTOINCREMENT has counted.
pub(crate) const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS _tenantry_tables (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, id_column TEXT, \
     auto_increment INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS _tenantry_sequence (_tenant INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL, \
     PRIMARY KEY (_tenant, number)) WITHOUT ROWID",
];

/// The ids of a table that has row ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowIds<'a> {
    /// The name of the table.
    pub(crate) table: &'a str,
    /// The number of the table in `_tenantry_tables`.
    pub(crate) number: i64,
    /// The column of the id; `_tenant_rowid` for a table whose schema names none.
    pub(crate) column: &'a str,
    /// Whether the id is an AUTOINCREMENT one.
    pub(crate) auto_increment: bool,
}

impl RowIds<'_> {
    /// The definition of the column, as `tenantry_sql` prints it. A row without an id gets one at the moment it is inserted.
    #[cfg(test)]
    pub(crate) fn definition(&self) -> String {
        let (column, number) = (quoted(self.column), self.number);
        format!(
            "{column} INTEGER NOT NULL ON CONFLICT REPLACE DEFAULT (_tenantry_next_id({number})) \
             CONSTRAINT {CHECK} CHECK (typeof({column}) = 'integer')"
        )
    }

    /// The triggers of the table. SQLite runs the trigger first that was created last: for the triggers of the
    /// application to find the id in `last_insert_rowid()`, create these anew after one of those.
    pub(crate) fn triggers(&self) -> Vec<String> {
        let Self { number, auto_increment, .. } = *self;
        let (table, column) = (quoted(self.table), quoted(self.column));
        let mut triggers = vec![format!(
            "CREATE TRIGGER {INSERTED}{number} AFTER INSERT ON {table} \
             BEGIN SELECT _tenantry_inserted(NEW._tenant, NEW.{column}); END"
        )];
        if auto_increment {
            triggers.push(format!(
                "CREATE TRIGGER {COUNTED}{number} BEFORE INSERT ON {table} \
                 BEGIN SELECT _tenantry_counted({number}, NEW._tenant, NEW.{column}); END"
            ));
        }
        triggers
    }
}

/// The constraint that fails when an id is not an integer.
pub(super) const CHECK: &str = "_tenantry_row_id";

/// What the names of our triggers begin with, before the number of the table.
pub(super) const INSERTED: &str = "_tenantry_inserted_";
pub(super) const COUNTED: &str = "_tenantry_counted_";

/// What the names of triggers begin with that refuse to change the rows of a tenant that has moved, before its number.
pub(crate) const MOVED: &str = "_tenantry_moved_";

/// What they say.
pub(crate) const MOVED_MESSAGE: &str = "_tenantry: the rows have been moved";
