//! Something that an application could tell apart from a database of its own.

use std::fmt;

use crate::{Outcome, Value};

/// Where a statement gave something else on the shared side than on the private one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The statement.
    pub text: String,
    /// What its parameters were.
    pub arguments: Vec<Value>,
    /// In what they differ.
    pub what: What,
    /// What came of it on the private side.
    pub private: Outcome,
    /// What came of it on the shared side.
    pub shared: Outcome,
}

/// In what two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// One gave a result, the other an error.
    Class,
    /// They gave different errors.
    Error,
    /// The names of columns.
    Columns,
    /// The rows.
    Rows,
    /// How many rows were changed.
    Affected,
    /// The row id of the row inserted last.
    LastInsertRowId,
    /// The tenant's rows of this table afterwards: of which there are so many only on the side that is named.
    State(String, Vec<(Side, Vec<Value>)>),
    /// The rows of other tenants in this table.
    Others(String),
    /// Something of another tenant's is in the result or in the message.
    Leak(String),
    /// The shared side could not be looked at.
    Unreadable(String),
}

impl What {
    /// Whether it is about what the tenant's own rows gave, and nobody else's rows or names of columns.
    pub(crate) const fn is_of_the_tenant(&self) -> bool {
        match self {
            Self::Class | Self::Error | Self::Rows | Self::Affected | Self::LastInsertRowId | Self::State(..) => true,
            Self::Columns | Self::Others(_) | Self::Leak(_) | Self::Unreadable(_) => false,
        }
    }
}

/// One of the sides that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The tenant's own database.
    Private,
    /// The tenant's share of the shared one.
    Shared,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} differs", self.what)?;
        writeln!(f, "  statement: {}", self.text)?;
        let arguments: Vec<_> = self.arguments.iter().map(ToString::to_string).collect();
        writeln!(f, "  arguments: [{}]", arguments.join(", "))?;
        writeln!(f, "  private:   {}", Shown(&self.private))?;
        write!(f, "  shared:    {}", Shown(&self.shared))
    }
}

impl std::error::Error for Difference {}

struct Shown<'a>(&'a Outcome);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Outcome::Refused(code) => write!(f, "refused: {code}"),
            Outcome::Failed(failure) => write!(f, "error {:?}: {}", failure.code, failure.message),
            Outcome::Done(done) => {
                let columns = done.columns.as_ref().map(|columns| columns.join(" | ")).unwrap_or_default();
                write!(f, "{} affected, last row id {}; {columns}", done.affected, done.last_insert_rowid)?;
                for row in done.rows.iter().take(20) {
                    let row: Vec<_> = row.iter().map(ToString::to_string).collect();
                    write!(f, "\n      {}", row.join(" | "))?;
                }
                if done.rows.len() > 20 {
                    write!(f, "\n      … {} rows", done.rows.len())?;
                }
                Ok(())
            }
        }
    }
}
