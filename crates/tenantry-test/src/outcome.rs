//! What comes of a statement.

use crate::Value;

/// What came of a statement, as far as an application can see it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran.
    Done(Done),
    /// The database gave an error.
    Failed(Failure),
    /// The shared side declined to run it, with this code.
    Refused(String),
}

/// What a statement gave that ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// The names of the result's columns; nothing if they cannot be known, which happens where there are no rows.
    pub columns: Option<Vec<String>>,
    /// The rows, in their order.
    pub rows: Vec<Vec<Value>>,
    /// How many rows were inserted, changed or deleted. Means something after such a statement only.
    pub affected: u64,
    /// The row id of the row inserted last. Means something after such a statement only.
    pub last_insert_rowid: i64,
}

/// The error of a statement that did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The primary result code of SQLite, if the error is the database's.
    pub code: Option<i32>,
    /// The message.
    pub message: String,
    /// Whether the statement was accepted, and failed while it ran. Not compared.
    pub accepted: bool,
}

/// `SQLITE_INTERRUPT`.
pub(crate) const INTERRUPTED: i32 = 9;

impl Failure {
    /// The failure that sqlx tells of.
    pub fn new(error: &sqlx::Error, accepted: bool) -> Self {
        let database = error.as_database_error();
        // The extended code has the primary one in its low byte.
        let code = database.and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
        let message = database.map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Self { code: code.map(|code| code & 0xff), message, accepted }
    }
}

impl Outcome {
    /// Whether the statement ran.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// Whether it was given up because it took too long.
    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.code == Some(INTERRUPTED))
    }
}
