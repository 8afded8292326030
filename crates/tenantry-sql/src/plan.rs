//! What came of a statement: its scoped text, and what to bind.

use std::sync::Arc;

use crate::Name;

/// A statement that is scoped and verified. It holds for every tenant: the tenant is a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The text to run.
    pub text: Arc<str>,
    /// What the statement does.
    pub effect: Effect,
    /// How the application calls its parameters: what stands for `?1`, `?2` and so on in the text.
    pub parameters: Vec<Parameter>,
    /// The number of the parameter that the tenant is bound to; nothing when no tenant's table is named.
    pub tenant: Option<u32>,
    /// Whether it gives rows.
    pub gives_rows: bool,
    /// The tables, views and common table expressions that are named; of a statement that changes rows also the tables
    /// that foreign keys take in.
    pub relations: Vec<Name>,
    /// Whether it changes the connection for longer than its transaction, so that the connection has to be reset or closed
    /// before another scope gets it.
    pub outlives_transaction: bool,
    /// What the number says that the database gives of the rows which it has changed.
    pub affected: Affected,
    /// A function of chance that is called, of which each run gives something else.
    pub chance: Option<Name>,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// It reads. A query whose common table expressions change rows does what the first of them does.
    Read,
    /// It inserts rows.
    Insert,
    /// It changes rows.
    Update,
    /// It deletes rows.
    Delete,
    /// It inserts, changes and deletes rows, as `MERGE` says.
    Merge,
    /// It deletes all rows: what is run is `DELETE`, and the database counts its rows where `TRUNCATE` would count none.
    Truncate,
    /// It sets something for the connection.
    Setting,
    /// It begins or ends a transaction or a savepoint.
    Transaction(Transaction),
}

/// What the number says that the database gives of the rows which a statement has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Affected {
    /// So many rows had done to them what the effect says.
    #[default]
    Exact,
    /// Some of them may be new, and others not: an `INSERT` that updates or replaces, or `MERGE`. Of an `INSERT` whose common
    /// table expressions change or delete other rows, it is that of the new ones.
    Mixed,
    /// Common table expressions insert rows, which are not in it.
    WithoutInserted,
    /// Nothing: it is that of a query, whose common table expressions change or delete rows.
    Unknown,
}

/// What a statement does to the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transaction {
    /// It begins one.
    Begin,
    /// It keeps what was done.
    Commit,
    /// It undoes what was done.
    Rollback,
    /// It sets a savepoint, releases it, or goes back to it.
    Savepoint,
}

impl Effect {
    /// Whether it changes rows.
    pub const fn writes(self) -> bool {
        matches!(self, Self::Insert | Self::Update | Self::Delete | Self::Merge | Self::Truncate)
    }
}

/// How the application calls a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `?`, the next one.
    Anonymous,
    /// `?7`.
    Numbered,
    /// `:name`, `@name` or `$name`, sign included.
    Named(Box<str>),
    /// A number that no parameter has, below one that has.
    Unused,
}
