//! The databases of SeaORM that can be scoped, and where they differ.

use sea_orm::{DbBackend, ExecResult, QueryResult, SqliteTransactionMode, TransactionOptions, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::{IntoArguments, Sqlite};
use tenantry_sql::{Dialect, Refused};
use tenantry_sqlx::scoped::Scopable;

/// A database of SeaORM that can be scoped.
///
/// This crate implements it; it is public because it stands in the bounds of public types.
pub trait Backend: Scopable {
    /// What SeaORM calls it.
    #[doc(hidden)]
    const BACKEND: DbBackend;

    /// The values of a statement, as sqlx binds them.
    #[doc(hidden)]
    fn arguments(values: Values) -> <Self as sqlx::Database>::Arguments;

    /// A row, as SeaORM reads it.
    #[doc(hidden)]
    fn row(row: Self::Row) -> QueryResult;

    /// What a statement did, as SeaORM reads it.
    #[doc(hidden)]
    fn result(result: Self::QueryResult) -> ExecResult;

    /// How a transaction begins, if it is not as always.
    #[doc(hidden)]
    fn beginning(options: &TransactionOptions) -> Option<String>;

    /// What sets the options of a transaction that has begun, if there are any that can be set then.
    #[doc(hidden)]
    fn setting(options: &TransactionOptions) -> Option<String>;

    /// The statements of a script.
    #[doc(hidden)]
    fn statements(script: &str) -> Result<Vec<&str>, Refused>;
}

impl Backend for Sqlite {
    const BACKEND: DbBackend = DbBackend::Sqlite;

    fn arguments(values: Values) -> sqlx::sqlite::SqliteArguments {
        IntoArguments::<Self>::into_arguments(SqlxValues(values))
    }

    fn row(row: Self::Row) -> QueryResult {
        row.into()
    }

    fn result(result: Self::QueryResult) -> ExecResult {
        result.into()
    }

    fn beginning(options: &TransactionOptions) -> Option<String> {
        ignored(options);
        let mode = options.sqlite_transaction_mode?;
        let begin = match mode {
            SqliteTransactionMode::Deferred => "BEGIN DEFERRED",
            SqliteTransactionMode::Immediate => "BEGIN IMMEDIATE",
            SqliteTransactionMode::Exclusive => "BEGIN EXCLUSIVE",
        };
        Some(begin.to_owned())
    }

    fn setting(_: &TransactionOptions) -> Option<String> {
        None
    }

    fn statements(script: &str) -> Result<Vec<&str>, Refused> {
        Dialect::Sqlite.statements(script)
    }
}

#[cfg(feature = "postgres")]
impl Backend for sqlx::Postgres {
    const BACKEND: DbBackend = DbBackend::Postgres;

    fn arguments(values: Values) -> sqlx::postgres::PgArguments {
        IntoArguments::<Self>::into_arguments(SqlxValues(values))
    }

    fn row(row: Self::Row) -> QueryResult {
        row.into()
    }

    fn result(result: Self::QueryResult) -> ExecResult {
        result.into()
    }

    fn beginning(options: &TransactionOptions) -> Option<String> {
        modes(options).map(|modes| format!("BEGIN {modes}"))
    }

    fn setting(options: &TransactionOptions) -> Option<String> {
        modes(options).map(|modes| format!("SET TRANSACTION {modes}"))
    }

    fn statements(script: &str) -> Result<Vec<&str>, Refused> {
        Dialect::Postgres.statements(script)
    }
}

/// The modes of a transaction, as PostgreSQL writes them.
#[cfg(feature = "postgres")]
fn modes(options: &TransactionOptions) -> Option<String> {
    let level = options.isolation_level.map(|level| format!("ISOLATION LEVEL {level}"));
    let access = options.access_mode.map(|mode| mode.to_string());
    let modes: Vec<_> = level.into_iter().chain(access).collect();
    (!modes.is_empty()).then(|| modes.join(" "))
}

/// SQLite has no such levels and modes; SeaORM goes on without them as well.
fn ignored(options: &TransactionOptions) {
    if options.isolation_level.is_some() {
        tracing::warn!("setting the isolation level of a transaction is not supported by SQLite");
    }
    if options.access_mode.is_some() {
        tracing::warn!("setting the access mode of a transaction is not supported by SQLite");
    }
}
