//! The pool.

use std::{fmt, sync::Arc};

use async_stream::try_stream;
use futures_util::{TryStreamExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Database, Execute, Executor, SqlStr,
    migrate::{MigrateError, Migrator},
};
use tenantry_core::Scope;
use tenantry_resource::{BoxError, current};
use tenantry_sql::Plan;

use super::{
    Explain, Lease, Scopable, ScopeError, ScopedConnection, ScopedTransaction, Source,
    execute::{Request, Step},
    first_use::FirstUse,
    moved::Patience,
};

/// A pool for the statements of all tenants: each runs for the tenant whose scope is current.
///
/// It takes the place of a pool of sqlx: `query`, `query_as`, `query_scalar` and their macros, streams, [`begin`] and
/// `QueryBuilder` work as they do there. Without a scope nothing runs.
///
/// Cloning is cheap, and clones are the same pool.
///
/// [`begin`]: ScopedPool::begin
pub struct ScopedPool<DB: Database> {
    source: Arc<dyn Source<DB>>,
}

impl<DB: Database> ScopedPool<DB> {
    pub(crate) fn new(source: impl Source<DB> + 'static) -> Self {
        Self::from_source(Arc::new(source))
    }

    pub(super) fn from_source(source: Arc<dyn Source<DB>>) -> Self {
        Self { source }
    }

    /// Brings the schema up to date: migrations run once for all tenants that share tables.
    ///
    /// Databases that tenants have of their own are migrated when they are opened; one that a later version of the application
    /// has migrated is opened as it is. Call this before the first statement.
    ///
    /// # Errors
    ///
    /// When a migration fails or is refused. A migration that fails leaves nothing behind.
    pub async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        self.source.migrate(migrator).await
    }

    /// Does something for each tenant before its first statement, within the tenant's scope: what the application used to
    /// do once at its start, such as to insert its default settings.
    ///
    /// It is done once per process and tenant, and again when a tenant has not been used for long; so it must not mind
    /// being done again. While it fails, the tenant's statements fail. The pool that it is given does not wait for it.
    #[must_use]
    pub fn on_first_use<F, Fut, E>(self, prepare: F) -> Self
    where
        F: Fn(Self) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self::new(FirstUse::new(self.source, prepare))
    }

    /// A connection for the tenant whose scope is current. Statements on it run one after the other, on the same
    /// connection to the database.
    ///
    /// # Errors
    ///
    /// Without a scope; when the tenant may not be served; when no connection is free in time.
    pub async fn acquire(&self) -> Result<ScopedConnection<DB>, sqlx::Error> {
        let scope = current().map_err(ScopeError::from)?;
        Ok(ScopedConnection::new(self.lease(&scope, &self.patience()).await?))
    }

    /// Begins a transaction for the tenant whose scope is current.
    ///
    /// # Errors
    ///
    /// As [`ScopedPool::acquire`], and when the database does not begin it.
    pub async fn begin(&self) -> Result<ScopedTransaction<'static, DB>, sqlx::Error> {
        ScopedTransaction::on_connection(self.acquire().await?, None).await
    }

    /// Begins a transaction with a statement of its own, as `BEGIN IMMEDIATE`.
    ///
    /// # Errors
    ///
    /// As [`ScopedPool::begin`].
    pub async fn begin_with(
        &self,
        statement: impl sqlx::SqlSafeStr,
    ) -> Result<ScopedTransaction<'static, DB>, sqlx::Error> {
        let statement = statement.into_sql_str();
        ScopedTransaction::on_connection(self.acquire().await?, Some(statement)).await
    }

    /// What a statement becomes on shared tables, for whichever tenant. Nothing is run.
    ///
    /// # Errors
    ///
    /// The refusal, as [`ScopeError::Refused`]; or that the schema cannot be read.
    pub async fn plan(&self, statement: &str) -> Result<Arc<Plan>, sqlx::Error> {
        Ok(self.source.planning().await?.plan(statement).await.map_err(ScopeError::from)?)
    }

    /// How the database would run a statement on shared tables, for operators: it needs no scope, and tells about tables
    /// and indexes as they are in the database. Nothing is run.
    ///
    /// # Errors
    ///
    /// As [`ScopedPool::plan`], and what the database says of a statement that it does not accept.
    pub async fn explain(&self, statement: &str, what: Explain) -> Result<Vec<DB::Row>, sqlx::Error> {
        let plan = self.plan(statement).await?;
        self.source.explain(&plan, what).await
    }

    async fn lease(&self, scope: &Scope, patience: &Patience) -> Result<Lease<DB>, sqlx::Error> {
        loop {
            match self.source.lease(scope).await {
                Err(error) => patience.wait(error).await?,
                leased => return leased,
            }
        }
    }

    fn patience(&self) -> Patience {
        Patience::new(self.source.move_wait_max())
    }
}

impl<DB: Database> Clone for ScopedPool<DB> {
    fn clone(&self) -> Self {
        Self { source: Arc::clone(&self.source) }
    }
}

impl<DB: Database> fmt::Debug for ScopedPool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedPool").field(&self.source).finish()
    }
}

impl<'p, DB> Executor<'p> for &'p ScopedPool<DB>
where
    DB: Scopable,
{
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        // The scope is that of the call, whoever polls the stream.
        let (scope, request) = (current().map_err(ScopeError::from), Request::new(query));
        Box::pin(try_stream! {
            let (scope, mut request, mut patience) = (scope?, request?, self.patience());
            loop {
                let mut lease = self.lease(&scope, &patience).await?;
                let spare = request.spare(lease.is_as_written());
                let mut steps = lease.run(request, true);
                let error = match steps.try_next().await {
                    Ok(mut next) => {
                        while let Some(step) = next {
                            yield step;
                            next = steps.try_next().await?;
                        }
                        return;
                    }
                    Err(error) => error,
                };
                drop(steps);
                drop(lease);
                request = patience.once_more(error, spare).await?;
            }
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (scope, request) = (current().map_err(ScopeError::from), Request::new(query));
        Box::pin(async move {
            let (scope, mut request, mut patience) = (scope?, request?, self.patience());
            loop {
                let mut lease = self.lease(&scope, &patience).await?;
                let spare = request.spare(lease.is_as_written());
                let first = lease.first(request, true).await;
                drop(lease);
                match first {
                    Err(error) => request = patience.once_more(error, spare).await?,
                    first => return first,
                }
            }
        })
    }

    fn prepare_with<'e>(
        self,
        text: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, sqlx::Error>>
    where
        'p: 'e,
    {
        let scope = current().map_err(ScopeError::from);
        Box::pin(async move { self.lease(&scope?, &self.patience()).await?.prepare(text, parameters).await })
    }

    #[doc(hidden)]
    fn describe<'e>(self, text: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<DB>, sqlx::Error>>
    where
        'p: 'e,
    {
        let scope = current().map_err(ScopeError::from);
        Box::pin(async move { self.lease(&scope?, &self.patience()).await?.describe(text).await })
    }
}
