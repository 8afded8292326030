//! What a statement of a migration does, and what is run on the shared schema for it.

use super::stored::Rewrite;
use crate::{Name, Table};

/// What a statement of a migration comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What it does.
    pub kind: ChangeKind,
    /// What is done to the shared schema, in this order.
    pub steps: Vec<Step>,
    /// Whether the application's triggers are made anew: dropped before the steps, and converted again afterwards, from
    /// the definitions that SQLite then has in the application's own schema. In the shared schema they name the columns of
    /// the tables that they read, and hold the text of views. One that cannot be converted may have to wait for a later
    /// statement of the migration.
    pub renews_triggers: bool,
}

/// What a statement of a migration does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It creates a table.
    CreateTable {
        /// The table as the application declares it, with the number that it gets if it is a tenant's.
        table: Box<Table>,
        /// Whether all tenants read it and none may change it.
        is_global: bool,
    },
    /// It creates an index.
    CreateIndex {
        /// The index.
        name: Name,
        /// Its table.
        table: Name,
    },
    /// It creates a view, which the shared schema does not have.
    CreateView {
        /// The view.
        name: Name,
    },
    /// It creates a trigger.
    CreateTrigger {
        /// The trigger.
        name: Name,
        /// Its table.
        table: Name,
    },
    /// It drops a table, and what belongs to it.
    DropTable {
        /// The table.
        name: Name,
    },
    /// It drops an index.
    DropIndex {
        /// The index.
        name: Name,
    },
    /// It drops a view.
    DropView {
        /// The view.
        name: Name,
    },
    /// It drops a trigger.
    DropTrigger {
        /// The trigger.
        name: Name,
    },
    /// It renames a table.
    RenameTable {
        /// What it is called before.
        from: Name,
        /// What it is called afterwards.
        to: Name,
    },
    /// It renames a column.
    RenameColumn {
        /// The table.
        table: Name,
        /// What the column is called before.
        from: Name,
        /// What it is called afterwards.
        to: Name,
    },
    /// It adds a column.
    AddColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Name,
    },
    /// It drops a column.
    DropColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Name,
    },
    /// It does nothing: with `IF EXISTS` or `IF NOT EXISTS`, it is as it should be.
    Nothing,
    /// It reads or changes rows: no definition, but an ordinary statement.
    Rows,
    /// It passes as it is: a transaction, a savepoint, or a setting that migrations need.
    Pass,
}

/// Something that is done to the shared schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This statement is run.
    Run(String),
    /// The stored text of a table is changed, which no statement can do.
    Rewrite(Rewrite),
}

impl Change {
    pub(super) fn new(kind: ChangeKind, steps: impl IntoIterator<Item = Step>) -> Self {
        let renews_triggers = match kind {
            ChangeKind::CreateTable { .. }
            | ChangeKind::CreateView { .. }
            | ChangeKind::DropView { .. }
            | ChangeKind::RenameTable { .. }
            | ChangeKind::RenameColumn { .. }
            | ChangeKind::AddColumn { .. }
            | ChangeKind::DropColumn { .. } => true,
            ChangeKind::CreateIndex { .. }
            | ChangeKind::CreateTrigger { .. }
            | ChangeKind::DropTable { .. }
            | ChangeKind::DropIndex { .. }
            | ChangeKind::DropTrigger { .. }
            | ChangeKind::Nothing
            | ChangeKind::Rows
            | ChangeKind::Pass => false,
        };
        Self { kind, steps: steps.into_iter().collect(), renews_triggers }
    }

    pub(super) fn run(kind: ChangeKind, statement: String) -> Self {
        Self::new(kind, [Step::Run(statement)])
    }
}
