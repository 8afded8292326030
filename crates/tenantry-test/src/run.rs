//! Runs a statement on a connection, of SQLite or of ours.

use sqlx::{
    AssertSqlSafe, Column as _, Executor, Row, SqlSafeStr, Sqlite, Statement as _,
    sqlite::{SqliteArguments, SqliteRow},
};
use tenantry_sqlx::ScopeError;

use crate::{Done, Failure, Outcome, Value};

impl Outcome {
    /// Runs a statement, on a plain connection or on a scoped one.
    pub async fn of<C>(connection: &mut C, text: &str, arguments: &[Value]) -> Self
    where
        for<'c> &'c mut C: Executor<'c, Database = Sqlite>,
    {
        let prepared = (&mut *connection).prepare(AssertSqlSafe(text).into_sql_str()).await;
        let columns: Vec<_> = match prepared {
            Ok(statement) => statement.columns().iter().map(|column| column.name().to_owned()).collect(),
            Err(error) => return Self::error(&error, false),
        };
        match execute(connection, text, arguments).await {
            Ok(done) => Self::Done(Done { columns: Some(columns), ..done }),
            Err(error) => Self::error(&error, true),
        }
    }

    fn error(error: &sqlx::Error, accepted: bool) -> Self {
        match ScopeError::of(error).map(ScopeError::code) {
            Some(Some(code)) => Self::Refused(code.to_string()),
            _ => Self::Failed(Failure::new(error, accepted)),
        }
    }
}

async fn execute<C>(connection: &mut C, text: &str, arguments: &[Value]) -> Result<Done, sqlx::Error>
where
    for<'c> &'c mut C: Executor<'c, Database = Sqlite>,
{
    let rows = fetch(&mut *connection, text, arguments).await?;
    let rows = rows.iter().map(Value::row).collect::<Result<Vec<_>, _>>()?;
    let counted = "SELECT changes(), last_insert_rowid()";
    let counted = sqlx::query(counted).fetch_one(connection).await?;
    let affected: i64 = counted.try_get(0)?;
    let last_insert_rowid = counted.try_get(1)?;
    Ok(Done { columns: None, rows, affected: u64::try_from(affected).unwrap_or_default(), last_insert_rowid })
}

/// The rows of a statement.
pub(crate) async fn fetch<'c>(
    connection: impl Executor<'c, Database = Sqlite>,
    text: &str,
    arguments: &[Value],
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    let mut query = sqlx::query_with(AssertSqlSafe(text), SqliteArguments::default()).persistent(false);
    for argument in arguments {
        query = match argument {
            Value::Null => query.bind(None::<i64>),
            Value::Integer(number) => query.bind(*number),
            Value::Real(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
            Value::Blob(bytes) => query.bind(bytes.clone()),
        };
    }
    query.fetch_all(connection).await
}
