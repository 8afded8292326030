//! The connection that an application has instead of SeaORM's.

use std::{fmt, pin::Pin};

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement, StreamTrait,
    TransactionError, TransactionOptions, TransactionTrait,
};
use sqlx::{AssertSqlSafe, Sqlite};
use tenantry_resource::{current, within};
use tenantry_sqlx::{ScopeError, ScopedPool};

use crate::{
    backend::Backend,
    error::querying,
    statement,
    stream::ScopedStream,
    transaction::{Callback, ScopedDatabaseTransaction, options},
};

/// A database whose statements run for the tenant whose scope is current.
///
/// It takes the place of SeaORM's `DatabaseConnection`. Cloning is cheap, and clones are the same database.
///
/// The scope is that of the task when a statement is first waited for. Transactions and streams keep the scope that they
/// were made in: a transaction is refused in another tenant's scope, a stream goes on in its own.
pub struct ScopedDatabase<DB: Backend = Sqlite> {
    pool: ScopedPool<DB>,
}

impl<DB: Backend> ScopedDatabase<DB> {
    /// A database whose statements run on `pool`.
    pub const fn new(pool: ScopedPool<DB>) -> Self {
        Self { pool }
    }

    /// The pool, for statements of sqlx and for migrations.
    pub const fn pool(&self) -> &ScopedPool<DB> {
        &self.pool
    }
}

impl<DB: Backend> From<ScopedPool<DB>> for ScopedDatabase<DB> {
    fn from(pool: ScopedPool<DB>) -> Self {
        Self::new(pool)
    }
}

#[async_trait]
impl<DB: Backend> ConnectionTrait for ScopedDatabase<DB> {
    fn get_database_backend(&self) -> DbBackend {
        DB::BACKEND
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        statement::execute(&self.pool, statement).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        match *statement::script::<DB>(text) {
            // On the pool, where a transaction cannot be begun by text and left open.
            [statement] => statement::execute_unprepared(&self.pool, statement).await,
            ref script => {
                let mut connection = self.pool.acquire().await.map_err(querying)?;
                statement::execute_script(&mut connection, script).await
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        statement::query_one(&self.pool, statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        statement::query_all(&self.pool, statement).await
    }
}

impl<DB: Backend> StreamTrait for ScopedDatabase<DB> {
    type Stream<'a> = ScopedStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        DB::BACKEND
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<ScopedStream<'a>, DbErr>> + 'a + Send>> {
        let scope = current().map_err(|error| querying(ScopeError::from(error).into()));
        Box::pin(async move {
            let scope = scope?;
            let connection = within(scope.clone(), self.pool.acquire()).await.map_err(querying)?;
            Ok(ScopedStream::new(scope, statement::rows(connection, statement)))
        })
    }
}

#[async_trait]
impl<DB: Backend> TransactionTrait for ScopedDatabase<DB> {
    type Transaction = ScopedDatabaseTransaction<DB>;

    async fn begin(&self) -> Result<Self::Transaction, DbErr> {
        self.begin_with_options(TransactionOptions::default()).await
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<Self::Transaction, DbErr> {
        self.begin_with_options(options(isolation_level, access_mode)).await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<Self::Transaction, DbErr> {
        let begun = match DB::beginning(&options) {
            Some(statement) => self.pool.begin_with(AssertSqlSafe(statement)).await,
            None => self.pool.begin().await,
        };
        begun.map(ScopedDatabaseTransaction::new).map_err(querying)
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self::Transaction) -> Callback<'c, T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin().await?.run(callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self::Transaction) -> Callback<'c, T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin_with_config(isolation_level, access_mode).await?.run(callback).await
    }
}

impl<DB: Backend> Clone for ScopedDatabase<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone() }
    }
}

impl<DB: Backend> fmt::Debug for ScopedDatabase<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedDatabase").field(&self.pool).finish()
    }
}
