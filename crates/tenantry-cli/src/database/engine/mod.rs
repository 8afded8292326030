//! The databases that statements are run on, and how what comes from them is shown.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use serde_json::{Value, json};
use tenantry::{Scopable, sql::Dialect};

/// A database that statements are run on.
pub(super) trait Engine: Scopable {
    /// The grammar of its statements.
    const DIALECT: Dialect;

    /// What stands before the number of a parameter.
    const MARK: char;

    /// The values of a row, as JSON.
    fn values(row: &Self::Row) -> Result<Vec<Value>, sqlx::Error>;

    /// A line of a plan that the database explains.
    fn step(row: &Self::Row) -> Result<String, sqlx::Error>;

    /// How many rows a statement changed.
    fn affected(result: &Self::QueryResult) -> u64;
}

/// Bytes that mean nothing to JSON.
fn blob(bytes: &[u8]) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    json!({ "blob": hex })
}
