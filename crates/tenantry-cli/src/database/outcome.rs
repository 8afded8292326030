//! What came of a statement, as a table or as JSON.

use std::fmt;

use serde::{Serialize, ser::SerializeMap};
use serde_json::Value;
use tenantry::ScopeError;

use crate::output::table;

/// What came of a statement.
pub(super) enum Outcome {
    Done { columns: Vec<String>, rows: Vec<Vec<Value>>, affected: u64 },
    Refused { code: Option<&'static str>, message: String },
    Error { code: Option<String>, message: String },
}

impl Outcome {
    /// What an error says of the statement.
    pub(super) fn failed(error: &sqlx::Error) -> Self {
        if let Some(refused) = ScopeError::of(error) {
            return Self::Refused { code: refused.code().map(|code| code.as_str()), message: refused.to_string() };
        }
        match error.as_database_error() {
            Some(error) => {
                Self::Error { code: error.code().map(|code| code.to_string()), message: error.message().to_owned() }
            }
            None => Self::Error { code: None, message: error.to_string() },
        }
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("ok", &self.is_done())?;
        match self {
            Self::Done { columns, rows, affected } => {
                object.serialize_entry("columns", columns)?;
                object.serialize_entry("rows", rows)?;
                object.serialize_entry("affected", affected)?;
            }
            Self::Refused { code, message } => {
                object.serialize_entry("kind", "refused")?;
                object.serialize_entry("code", code)?;
                object.serialize_entry("message", message)?;
            }
            Self::Error { code, message } => {
                object.serialize_entry("kind", "error")?;
                object.serialize_entry("code", code)?;
                object.serialize_entry("message", message)?;
            }
        }
        object.end()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { message, .. } => f.write_str(message),
            Self::Error { code: Some(code), message } => write!(f, "error {code}: {message}"),
            Self::Error { code: None, message } => write!(f, "error: {message}"),
            Self::Done { columns, affected, .. } if columns.is_empty() => write!(f, "{affected} rows affected"),
            Self::Done { columns, rows, .. } => {
                let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
                f.write_str(&table(columns.as_slice(), &rows))
            }
        }
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(object) if object.len() == 1 && object.contains_key("blob") => {
            object.get("blob").and_then(Value::as_str).map_or_else(String::new, |hex| format!("x'{hex}'"))
        }
        other => other.to_string(),
    }
}
