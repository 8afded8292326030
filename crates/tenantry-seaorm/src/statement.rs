//! How a statement of SeaORM runs: the one place where its text and values become sqlx's.

use async_stream::try_stream;
use futures_util::{TryStreamExt, stream::BoxStream};
use sea_orm::{DbErr, ExecResult, QueryResult, Statement, Values};
use sqlx::{AssertSqlSafe, Executor};
use tenantry_sqlx::ScopedConnection;

use crate::{
    backend::Backend,
    error::{executing, querying},
};

/// Runs a statement for what it changes.
pub(crate) async fn execute<'c, DB: Backend>(
    on: impl Executor<'c, Database = DB>,
    statement: Statement,
) -> Result<ExecResult, DbErr> {
    on.execute(bound::<DB>(statement)).await.map(DB::result).map_err(executing)
}

/// Runs a statement without preparing it.
pub(crate) async fn execute_unprepared<'c, DB: Backend>(
    on: impl Executor<'c, Database = DB>,
    text: &str,
) -> Result<ExecResult, DbErr> {
    // Without values, sqlx does not keep what it prepares.
    on.execute(AssertSqlSafe(text)).await.map(DB::result).map_err(executing)
}

/// Runs the statements of a script one after the other, each as if it were alone.
pub(crate) async fn execute_script<DB: Backend>(
    on: &mut ScopedConnection<DB>,
    script: &[&str],
) -> Result<ExecResult, DbErr> {
    let mut total = DB::QueryResult::default();
    for statement in script {
        total.extend([on.execute(AssertSqlSafe(*statement)).await.map_err(executing)?]);
    }
    Ok(DB::result(total))
}

/// The statements of a script. One that cannot be taken apart is handed on whole, and refused where it is planned.
pub(crate) fn script<DB: Backend>(text: &str) -> Vec<&str> {
    DB::statements(text).unwrap_or_else(|_| vec![text])
}

/// The first row of a statement.
pub(crate) async fn query_one<'c, DB: Backend>(
    on: impl Executor<'c, Database = DB>,
    statement: Statement,
) -> Result<Option<QueryResult>, DbErr> {
    let row = on.fetch_optional(bound::<DB>(statement)).await.map_err(querying)?;
    Ok(row.map(DB::row))
}

/// All rows of a statement.
pub(crate) async fn query_all<'c, DB: Backend>(
    on: impl Executor<'c, Database = DB>,
    statement: Statement,
) -> Result<Vec<QueryResult>, DbErr> {
    let rows = on.fetch_all(bound::<DB>(statement)).await.map_err(querying)?;
    Ok(rows.into_iter().map(DB::row).collect())
}

/// The rows of a statement as they come, with what they come from.
pub(crate) fn rows<'a, DB: Backend, C>(mut from: C, statement: Statement) -> BoxStream<'a, Result<QueryResult, DbErr>>
where
    C: Rows<DB> + Send + 'a,
{
    Box::pin(try_stream! {
        let connection = from.connection()?;
        let mut rows = connection.fetch(bound::<DB>(statement));
        while let Some(row) = rows.try_next().await.map_err(querying)? {
            yield DB::row(row);
        }
    })
}

/// What the rows of a stream come from.
pub(crate) trait Rows<DB: Backend> {
    fn connection(&mut self) -> Result<&mut ScopedConnection<DB>, DbErr>;
}

impl<DB: Backend> Rows<DB> for ScopedConnection<DB> {
    fn connection(&mut self) -> Result<&mut Self, DbErr> {
        Ok(self)
    }
}

type Bound<DB> = (AssertSqlSafe<String>, Option<<DB as sqlx::Database>::Arguments>);

// Whether the text is safe is what the engine finds out.
fn bound<DB: Backend>(statement: Statement) -> Bound<DB> {
    let values = statement.values.unwrap_or(Values(Vec::new()));
    (AssertSqlSafe(statement.sql), Some(DB::arguments(values)))
}
