//! What comes of a statement.

use std::fmt;

/// What came of a statement, as far as an application can see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran.
    Done(Done),
    /// The database gave an error.
    Failed {
        /// Its SQLSTATE.
        code: String,
        /// Its message, with details and hints.
        message: String,
    },
    /// The shared side declined to run it, with this code.
    Refused(String),
}

/// What a statement gave that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The names of the result's columns, and their types.
    pub columns: Vec<(String, String)>,
    /// The rows, in their order; each value as a text.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows the command tag tells of.
    pub affected: u64,
}

impl Outcome {
    /// The outcome of an error.
    pub(crate) fn of_error(error: &sqlx::Error) -> Self {
        let Some(error) = error.as_database_error() else {
            return Self::Failed { code: String::new(), message: error.to_string() };
        };
        let code = error.code().map(|code| code.into_owned()).unwrap_or_default();
        let more = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
        let more = more.map(|error| [error.detail(), error.hint(), error.r#where()]).unwrap_or_default();
        let message = std::iter::once(Some(error.message())).chain(more).flatten().collect::<Vec<_>>();
        Self::Failed { code, message: message.join(" · ") }
    }

    /// The SQLSTATE of an error.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Failed { code, .. } => Some(code),
            Self::Done(_) | Self::Refused(_) => None,
        }
    }

    /// Whether the statement was accepted, and failed, if it did, while it ran.
    pub fn is_accepted(&self) -> bool {
        // Class 42: a syntax error, an access rule violated; 0A: what is not supported.
        self.code().is_none_or(|code| !code.starts_with("42") && !code.starts_with("0A"))
    }

    /// Whether it took too long, or waited for a lock.
    pub(crate) fn is_too_expensive(&self) -> bool {
        matches!(self.code(), Some("57014" | "54001"))
    }

    /// All texts in it.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Done(done) => {
                let names = done.columns.iter().map(|(name, _)| &**name);
                names.chain(done.rows.iter().flatten().flatten().map(|value| &**value)).collect()
            }
            Self::Failed { message, .. } => vec![message],
            Self::Refused(code) => vec![code],
        }
    }
}

impl Done {
    /// The rows in an order of their own, for comparing them as a bag.
    pub(crate) fn bag(&self) -> Vec<Vec<Option<String>>> {
        let mut rows = self.rows.clone();
        rows.sort();
        rows
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "refused: {code}"),
            Self::Failed { code, message } => write!(f, "error {code}: {message}"),
            Self::Done(done) => {
                let columns: Vec<_> = done.columns.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
                write!(f, "{} rows; {}", done.affected, columns.join(" | "))?;
                for row in done.rows.iter().take(20) {
                    let row: Vec<_> = row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
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
