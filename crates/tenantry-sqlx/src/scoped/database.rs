//! The databases whose statements can be scoped.

use futures_util::{future::BoxFuture, stream::BoxStream};
use sqlx::{Arguments, Database, Execute, Executor, SqlStr, Sqlite, error::BoxDynError};

use super::execute::Step;

/// A database whose statements can be scoped.
///
/// It says of a database's connections what `sqlx::Executor` says. Were `Executor` itself asked for where we implement
/// it, the compiler would go in circles wherever an application is generic over `for<'c> &'c mut C: Executor<'c>`.
#[doc(hidden)]
pub trait Scopable: Database {
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
}

/// What `sqlx::Executor` says of the connections of a database.
macro_rules! as_executor {
    ($database:ty) => {
        impl Scopable for $database {
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
        }
    };
}

as_executor!(Sqlite);
#[cfg(feature = "postgres")]
as_executor!(sqlx::Postgres);
