//! The rules by name, so that tests can switch one off and see that somebody notices.

/// One rule of the rewriting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// R-LEAF: a table in `FROM` becomes a leaf.
    Leaf,
    /// R-INTABLE: a table after `IN` becomes a leaf.
    InTable,
    /// SC1: physical names are qualified.
    Qualify,
    /// R-CTE: the name of a common table expression is left alone.
    Cte,
    /// R-VIEW: a view is expanded.
    View,
    /// R-QUALCOL: a column loses its schema.
    QualifiedColumn,
    /// R-SYSCOL: a row id is resolved.
    RowId,
    /// R-HINT: an index hint moves into the leaf.
    IndexHint,
    /// R-RIGHT: a right join is turned round.
    RightJoin,
    /// The guard of `UPDATE`.
    GuardUpdate,
    /// The guard of `DELETE`.
    GuardDelete,
    /// The parentheses round what the guard is put before.
    GuardParentheses,
    /// The tenant of the rows of `VALUES`.
    InsertValues,
    /// The tenant of the rows of a `SELECT`.
    InsertSelect,
    /// The list of columns that `INSERT` gets when it has none.
    InsertColumns,
    /// The ids of rows that are inserted with `OR IGNORE` and its kin.
    InsertId,
    /// The tenant column in the target of `ON CONFLICT`.
    ConflictTarget,
    /// `RETURNING *` spelt out.
    ReturningStar,
    /// The name of a result whose text has changed.
    ResultName,
    /// Parameters get the numbers that SQLite would give them.
    Parameters,
    /// Queries in the results of a `SELECT` are walked.
    WalkResults,
    /// Queries in `ON` are walked.
    WalkOn,
    /// Queries in `WHERE`, `GROUP BY`, `HAVING` and windows are walked.
    WalkClauses,
    /// Queries in `ORDER BY` are walked.
    WalkOrderBy,
    /// Queries in `LIMIT` are walked.
    WalkLimit,
    /// Queries in `FROM` are walked.
    WalkFrom,
    /// Common table expressions are walked.
    WalkCte,
    /// All branches of a set operation are walked.
    WalkBranches,
    /// Queries in `SET` are walked.
    WalkSet,
    /// Queries in the `WHERE` of `UPDATE` and `DELETE` are walked.
    WalkFilter,
    /// The source of `INSERT` is walked.
    WalkSource,
    /// Queries in `ON CONFLICT` are walked.
    WalkConflict,
    /// Queries in `RETURNING` are walked.
    WalkReturning,
    /// Common table expressions that change rows are walked.
    WalkChange,
    /// R-FDGROUP: what a primary key determines is grouped by as well.
    GroupByKey,
    /// R-WHOLE: a row as a whole is that of the application's table.
    WholeRow,
    /// The guard of `MERGE`.
    GuardMerge,
    /// The guard of `WHEN NOT MATCHED BY SOURCE`.
    GuardBySource,
    /// The guard of what stands for `TRUNCATE`.
    GuardTruncate,
}

impl Rule {
    /// Rules that only PostgreSQL has.
    pub const POSTGRES: &[Self] = &[
        Self::WalkChange,
        Self::GroupByKey,
        Self::WholeRow,
        Self::GuardMerge,
        Self::GuardBySource,
        Self::GuardTruncate,
    ];

    /// All rules that SQLite has; PostgreSQL has most of them.
    pub const ALL: &[Self] = &[
        Self::Leaf,
        Self::InTable,
        Self::Qualify,
        Self::Cte,
        Self::View,
        Self::QualifiedColumn,
        Self::RowId,
        Self::IndexHint,
        Self::RightJoin,
        Self::GuardUpdate,
        Self::GuardDelete,
        Self::GuardParentheses,
        Self::InsertValues,
        Self::InsertSelect,
        Self::InsertColumns,
        Self::InsertId,
        Self::ConflictTarget,
        Self::ReturningStar,
        Self::ResultName,
        Self::Parameters,
        Self::WalkResults,
        Self::WalkOn,
        Self::WalkClauses,
        Self::WalkOrderBy,
        Self::WalkLimit,
        Self::WalkFrom,
        Self::WalkCte,
        Self::WalkBranches,
        Self::WalkSet,
        Self::WalkFilter,
        Self::WalkSource,
        Self::WalkConflict,
        Self::WalkReturning,
    ];
}

/// Whether a rule applies: always, except in a test that has switched it off.
#[cfg(not(feature = "mutants"))]
#[inline]
pub(crate) const fn on(_: Rule) -> bool {
    true
}

/// Whether what is printed is verified: always, except in a test that wants to see what a wrong rewriting does.
#[cfg(not(feature = "mutants"))]
#[inline]
pub(crate) const fn is_verified() -> bool {
    true
}

#[cfg(feature = "mutants")]
pub(crate) use self::mutants::{is_verified, on};
#[cfg(feature = "mutants")]
pub use self::mutants::{unverified, without};

#[cfg(feature = "mutants")]
mod mutants {
    use std::{cell::Cell, thread::LocalKey};

    use super::Rule;

    thread_local! {
        static OFF: Cell<Option<Rule>> = const { Cell::new(None) };
        static VERIFIED: Cell<bool> = const { Cell::new(true) };
    }

    pub(crate) fn on(rule: Rule) -> bool {
        OFF.get() != Some(rule)
    }

    pub(crate) fn is_verified() -> bool {
        VERIFIED.get()
    }

    /// Runs `with` while `rule` is switched off on this thread. For tests only.
    pub fn without<R>(rule: Option<Rule>, with: impl FnOnce() -> R) -> R {
        during(&OFF, rule, with)
    }

    /// Runs `with` while nothing is verified on this thread. For tests only.
    pub fn unverified<R>(with: impl FnOnce() -> R) -> R {
        during(&VERIFIED, false, with)
    }

    fn during<T: 'static, R>(switch: &'static LocalKey<Cell<T>>, value: T, with: impl FnOnce() -> R) -> R {
        struct Back<T: 'static>(&'static LocalKey<Cell<T>>, Option<T>);
        impl<T> Drop for Back<T> {
            fn drop(&mut self) {
                if let Some(value) = self.1.take() {
                    self.0.set(value);
                }
            }
        }
        let _back = Back(switch, Some(switch.replace(value)));
        with()
    }
}
