//! Transactions, and those within them.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement, StreamTrait,
    TransactionError, TransactionOptions, TransactionSession, TransactionTrait,
};
use sqlx::Sqlite;
use tenantry_resource::current;
use tenantry_sqlx::{ScopeError, ScopedTransaction};

use crate::{
    backend::Backend,
    error::querying,
    session::{Level, Session, Taken},
    statement,
    stream::ScopedStream,
};

/// A transaction of one tenant. It is rolled back when it is dropped before it is committed.
///
/// A transaction that is begun within it is a savepoint: it has to end first.
pub struct ScopedDatabaseTransaction<DB: Backend = Sqlite> {
    session: Arc<Session<DB>>,
    level: Level,
    is_open: bool,
}

/// What a closure that runs in a transaction returns.
pub(crate) type Callback<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// The options that are given one by one.
pub(crate) fn options(isolation_level: Option<IsolationLevel>, access_mode: Option<AccessMode>) -> TransactionOptions {
    TransactionOptions { isolation_level, access_mode, sqlite_transaction_mode: None }
}

impl<DB: Backend> ScopedDatabaseTransaction<DB> {
    pub(crate) fn new(transaction: ScopedTransaction<'static, DB>) -> Self {
        let (session, level) = Session::new(transaction);
        Self { session, level, is_open: true }
    }

    /// Keeps what was done.
    ///
    /// # Errors
    ///
    /// When the database does not commit, or when a transaction begun within this one is still open; then nothing is kept.
    pub async fn commit(mut self) -> Result<(), DbErr> {
        self.session.lock().await.commit(self.level).await?;
        self.is_open = false;
        Ok(())
    }

    /// Undoes what was done, in transactions begun within this one as well.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached; it then undoes it by itself.
    pub async fn rollback(mut self) -> Result<(), DbErr> {
        self.session.lock().await.rollback(self.level).await?;
        self.is_open = false;
        Ok(())
    }

    /// Runs the closure, and keeps what it did if it says so.
    pub(crate) async fn run<F, T, E>(self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Callback<'c, T, E> + Send,
    {
        match callback(&self).await {
            Ok(value) => {
                self.commit().await.map_err(TransactionError::Connection)?;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await.map_err(TransactionError::Connection)?;
                Err(TransactionError::Transaction(error))
            }
        }
    }
}

#[async_trait]
impl<DB: Backend> TransactionSession for ScopedDatabaseTransaction<DB> {
    async fn commit(self) -> Result<(), DbErr> {
        self.commit().await
    }

    async fn rollback(self) -> Result<(), DbErr> {
        self.rollback().await
    }
}

#[async_trait]
impl<DB: Backend> ConnectionTrait for ScopedDatabaseTransaction<DB> {
    fn get_database_backend(&self) -> DbBackend {
        DB::BACKEND
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        statement::execute(self.session.lock().await.connection(self.level)?, statement).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        let script = statement::script::<DB>(text);
        statement::execute_script(self.session.lock().await.connection(self.level)?, &script).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        statement::query_one(self.session.lock().await.connection(self.level)?, statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        statement::query_all(self.session.lock().await.connection(self.level)?, statement).await
    }
}

impl<DB: Backend> StreamTrait for ScopedDatabaseTransaction<DB> {
    type Stream<'a> = ScopedStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        DB::BACKEND
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<ScopedStream<'a>, DbErr>> + 'a + Send>> {
        let made_in = current();
        Box::pin(async move {
            let mut open = self.session.lock().await;
            let scope = open.connection(self.level)?.scope().clone();
            if made_in.is_ok_and(|made_in| made_in.id() != scope.id()) {
                return Err(querying(ScopeError::OtherScope { leased: scope.slug().clone() }.into()));
            }
            Ok(ScopedStream::new(scope, statement::rows(Taken { open, level: self.level }, statement)))
        })
    }
}

#[async_trait]
impl<DB: Backend> TransactionTrait for ScopedDatabaseTransaction<DB> {
    type Transaction = Self;

    async fn begin(&self) -> Result<Self, DbErr> {
        let level = self.session.lock().await.begin(self.level).await?;
        Ok(Self { session: Arc::clone(&self.session), level, is_open: true })
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<Self, DbErr> {
        self.begin_with_options(options(isolation_level, access_mode)).await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<Self, DbErr> {
        // It begins with a savepoint, for which there are no options; it is said which are not supported at all.
        DB::beginning(&options);
        let nested = self.begin().await?;
        if let Some(statement) = DB::setting(&options) {
            nested.execute_unprepared(&statement).await?;
        }
        Ok(nested)
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Callback<'c, T, E> + Send,
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
        F: for<'c> FnOnce(&'c Self) -> Callback<'c, T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin_with_config(isolation_level, access_mode).await?.run(callback).await
    }
}

impl<DB: Backend> Drop for ScopedDatabaseTransaction<DB> {
    fn drop(&mut self) {
        if self.is_open {
            self.session.drop_level(self.level);
        }
    }
}

impl<DB: Backend> fmt::Debug for ScopedDatabaseTransaction<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedDatabaseTransaction").finish_non_exhaustive()
    }
}
