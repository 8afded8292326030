//! The databases whose statements can be scoped.

use futures_util::{future::BoxFuture, stream::BoxStream};
use sqlx::{
    Arguments, Connection, Database, Execute, Executor, SqlStr, Sqlite,
    error::{BoxDynError, DatabaseError},
};

use super::execute::Step;

/// A database whose statements can be scoped.
///
/// It says of a database's connections what `sqlx::Executor` says. Were `Executor` itself asked for where we implement
/// it, the compiler would go in circles wherever an application is generic over `for<'c> &'c mut C: Executor<'c>`.
#[doc(hidden)]
pub trait Scopable: Database<Arguments: Clone> {
    /// Whether it tells of each row that a statement inserts into a shared table.
    const TELLS_OF_ROWS: bool;

    /// Whether it undoes the transaction around a statement that is stopped, and takes the next one for one by itself.
    const UNDOES_WHAT_IS_STOPPED: bool;

    /// Whether it refuses a statement that was prepared when tables had other columns.
    const REFUSES_STALE: bool;

    fn fetch_many<'e, E>(
        connection: &'e mut Self::Connection,
        statement: E,
    ) -> BoxStream<'e, Result<Step<Self>, sqlx::Error>>
    where
        E: Execute<'e, Self> + 'e;

    fn fetch_optional<'e, E>(
        connection: &'e mut Self::Connection,
        statement: E,
    ) -> BoxFuture<'e, Result<Option<Self::Row>, sqlx::Error>>
    where
        E: Execute<'e, Self> + 'e;

    fn prepare_with<'e>(
        connection: &'e mut Self::Connection,
        text: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, sqlx::Error>>;

    fn describe(
        connection: &mut Self::Connection,
        text: SqlStr,
    ) -> BoxFuture<'_, Result<sqlx::Describe<Self>, sqlx::Error>>;

    /// Binds the tenant.
    fn bind(arguments: &mut Self::Arguments, tenant: i64) -> Result<(), BoxDynError>;

    /// How many rows a statement has changed.
    fn rows_changed(result: &Self::QueryResult) -> u64;

    /// Whether a statement was stopped before its end.
    fn is_stopped(error: &sqlx::Error) -> bool;

    /// Whether a statement was refused, before it did anything, since it was prepared when tables had other columns.
    fn is_stale(error: &sqlx::Error) -> bool;

    /// Forgets what was prepared on a connection.
    fn forget_prepared(connection: &mut Self::Connection) -> BoxFuture<'_, ()>;

    /// Makes the open transaction one in which a statement has failed.
    fn fail(connection: &mut Self::Connection) -> BoxFuture<'_, ()>;
}

/// What `sqlx::Executor` says of the connections of a database.
macro_rules! as_executor {
    ($database:ty, $is_sqlite:literal, $stopped:literal, $is_stale:path) => {
        impl Scopable for $database {
            const TELLS_OF_ROWS: bool = $is_sqlite;
            const UNDOES_WHAT_IS_STOPPED: bool = $is_sqlite;
            const REFUSES_STALE: bool = !$is_sqlite;

            fn fetch_many<'e, E>(
                connection: &'e mut Self::Connection,
                statement: E,
            ) -> BoxStream<'e, Result<Step<Self>, sqlx::Error>>
            where
                E: Execute<'e, Self> + 'e,
            {
                connection.fetch_many(statement)
            }

            fn fetch_optional<'e, E>(
                connection: &'e mut Self::Connection,
                statement: E,
            ) -> BoxFuture<'e, Result<Option<Self::Row>, sqlx::Error>>
            where
                E: Execute<'e, Self> + 'e,
            {
                connection.fetch_optional(statement)
            }

            fn prepare_with<'e>(
                connection: &'e mut Self::Connection,
                text: SqlStr,
                parameters: &'e [Self::TypeInfo],
            ) -> BoxFuture<'e, Result<Self::Statement, sqlx::Error>> {
                connection.prepare_with(text, parameters)
            }

            fn describe(
                connection: &mut Self::Connection,
                text: SqlStr,
            ) -> BoxFuture<'_, Result<sqlx::Describe<Self>, sqlx::Error>> {
                connection.describe(text)
            }

            fn bind(arguments: &mut Self::Arguments, tenant: i64) -> Result<(), BoxDynError> {
                arguments.add(tenant)
            }

            fn rows_changed(result: &Self::QueryResult) -> u64 {
                result.rows_affected()
            }

            fn is_stopped(error: &sqlx::Error) -> bool {
                error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == $stopped)
            }

            fn is_stale(error: &sqlx::Error) -> bool {
                $is_stale(error)
            }

            fn forget_prepared(connection: &mut Self::Connection) -> BoxFuture<'_, ()> {
                Box::pin(async move {
                    // Where this fails, so will what comes next.
                    connection.clear_cached_statements().await.ok();
                })
            }

            fn fail(connection: &mut Self::Connection) -> BoxFuture<'_, ()> {
                Box::pin(async move {
                    // It fails, since nobody has set it.
                    sqlx::raw_sql(NOWHERE).execute(connection).await.ok();
                })
            }
        }
    };
}

const fn never(_: &sqlx::Error) -> bool {
    false
}

/// A savepoint that there is not.
const NOWHERE: &str = "ROLLBACK TO SAVEPOINT _tenantry_nowhere";

// `SQLITE_INTERRUPT`.
as_executor!(Sqlite, true, "9", never);
// `query_canceled`.
#[cfg(feature = "postgres")]
as_executor!(sqlx::Postgres, false, "57014", crate::postgres::is_stale);
