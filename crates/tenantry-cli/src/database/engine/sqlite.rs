//! SQLite.

use serde_json::{Value, json};
use sqlx::{
    Column, Row, Sqlite, TypeInfo, ValueRef,
    sqlite::{SqliteQueryResult, SqliteRow},
};
use tenantry::sql::Dialect;

use super::{Engine, blob};

impl Engine for Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;
    const MARK: char = '?';

    fn values(row: &SqliteRow) -> Result<Vec<Value>, sqlx::Error> {
        row.columns().iter().map(|column| value(row, column.ordinal())).collect()
    }

    fn step(row: &SqliteRow) -> Result<String, sqlx::Error> {
        row.try_get("detail")
    }

    fn affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }
}

fn value(row: &SqliteRow, at: usize) -> Result<Value, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    let kind = value.type_info().name().to_owned();
    Ok(match (value.is_null(), kind.as_str()) {
        (true, _) => Value::Null,
        (_, "INTEGER" | "BOOLEAN") => json!(row.try_get_unchecked::<i64, _>(at)?),
        (_, "REAL") => json!(row.try_get_unchecked::<f64, _>(at)?),
        (_, "BLOB") => blob(row.try_get_unchecked(at)?),
        _ => {
            let bytes: Vec<u8> = row.try_get_unchecked(at)?;
            json!(String::from_utf8_lossy(&bytes))
        }
    })
}
