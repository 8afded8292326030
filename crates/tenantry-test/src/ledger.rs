//! Where shared tables are known to differ from a private database: the differences that Tenantry documents
//! (`docs/differences.md`). Whatever differs otherwise is a fault.

use crate::{
    Outcome,
    generate::{Kind, Statement},
};

/// A documented difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Known {
    /// A statement that fails since a row has an id that is none, or since no id is left, is undone as a whole. SQLite
    /// keeps the rows before it.
    FailsAsAWhole,
    /// An `INSERT OR FAIL` that fails has counted for `AUTOINCREMENT`. SQLite forgets that, although the rows stay.
    FailureCounts,
    /// `INDEXED BY` an index that cannot serve the query, which SQLite refuses. Here every index begins with the tenant,
    /// and serves.
    IndexServes,
    /// Of a row that has an id that is none, and breaks a constraint as well, the constraint is told.
    ConstraintBeforeId,
}

/// The result code of SQLite for a value that is no row id, and for a table that has no ids left.
const MISMATCH: i32 = 20;
const FULL: i32 = 13;
/// The result code of SQLite for a broken constraint.
const CONSTRAINT: i32 = 19;
/// What SQLite says where `INDEXED BY` names an index that it cannot use.
const NO_SOLUTION: &str = "no query solution";

impl Known {
    /// Which difference is to be expected when a statement gives this on a private database.
    pub(crate) fn expected(statement: &Statement, private: &Outcome) -> Option<Self> {
        match private {
            Outcome::Failed(failure)
                if statement.kind().writes() && matches!(failure.code, Some(MISMATCH | FULL)) && failure.accepted =>
            {
                Some(Self::FailsAsAWhole)
            }
            Outcome::Failed(failure)
                if matches!(statement.kind(), Kind::Insert(_)) && failure.accepted && is_or_fail(statement) =>
            {
                Some(Self::FailureCounts)
            }
            _ => None,
        }
    }

    /// Which difference this is.
    pub(crate) fn between(private: &Outcome, shared: &Outcome) -> Option<Self> {
        match (private, shared) {
            (Outcome::Failed(private), Outcome::Failed(shared))
                if private.code == Some(MISMATCH) && shared.code == Some(CONSTRAINT) =>
            {
                Some(Self::ConstraintBeforeId)
            }
            (Outcome::Failed(private), Outcome::Done(_)) if private.message == NO_SOLUTION => Some(Self::IndexServes),
            _ => None,
        }
    }
}

fn is_or_fail(statement: &Statement) -> bool {
    statement.text().to_ascii_uppercase().contains("OR FAIL")
}

/// Whether two names of a result's column are the same, or differ in the documented way: the row id of a table in a join
/// between parentheses is called `_ROWID_` by SQLite, and by its column on shared tables.
pub(crate) fn same_name(private: &str, shared: &str) -> bool {
    private == shared || private.split(':').next() == Some("_ROWID_")
}
