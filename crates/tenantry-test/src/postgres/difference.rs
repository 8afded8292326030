//! Something that an application could tell apart from a database of its own.

use std::fmt;

use super::{Done, Outcome};
use crate::Value;

/// Where a statement gave something else on the shared side than on the private one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The statement.
    pub text: String,
    /// What its parameters were.
    pub arguments: Vec<Value>,
    /// What was sent to the shared tables for it.
    pub sent: String,
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
    Names,
    /// The types of columns.
    Types,
    /// The rows.
    Rows,
    /// How many rows the command tag tells of.
    Affected,
    /// The tenant's rows of this table afterwards: private, then shared.
    State(String, String, String),
    /// The rows of other tenants in this table, or somebody touched them.
    Others(String),
    /// Something of another tenant's is in the result or in the message.
    Leak(String),
    /// A database could not be asked.
    Unreadable(String),
}

impl What {
    /// Whether it is about what the tenant's own rows gave, and nobody else's rows or names.
    pub(crate) const fn is_of_the_tenant(&self) -> bool {
        match self {
            Self::Class | Self::Error | Self::Rows | Self::Affected | Self::State(..) => true,
            Self::Names | Self::Types | Self::Others(_) | Self::Leak(_) | Self::Unreadable(_) => false,
        }
    }
}

/// A database that could not be asked.
impl From<sqlx::Error> for Box<Difference> {
    fn from(error: sqlx::Error) -> Self {
        let nothing = Outcome::Done(Done::default());
        Self::new(Difference {
            text: String::new(),
            arguments: Vec::new(),
            sent: String::new(),
            what: What::Unreadable(error.to_string()),
            private: nothing.clone(),
            shared: nothing,
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} differs", self.what)?;
        writeln!(f, "  statement: {}", self.text)?;
        let arguments: Vec<_> = self.arguments.iter().map(ToString::to_string).collect();
        writeln!(f, "  arguments: [{}]", arguments.join(", "))?;
        writeln!(f, "  sent:      {}", self.sent)?;
        writeln!(f, "  private:   {}", self.private)?;
        write!(f, "  shared:    {}", self.shared)
    }
}

impl std::error::Error for Difference {}
