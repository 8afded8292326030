//! A connection.

use std::fmt;

use futures_util::{future::BoxFuture, stream::BoxStream};
use sqlx::{Database, Execute, Executor, SqlStr};
use tenantry_core::Scope;

use super::{
    Lease, Scopable, ScopedTransaction,
    execute::{Request, Step},
};

/// A connection that is leased for one tenant.
///
/// It goes back to the pool when it is dropped.
pub struct ScopedConnection<DB: Database> {
    pub(super) lease: Lease<DB>,
}

impl<DB: Database> ScopedConnection<DB> {
    pub(super) const fn new(lease: Lease<DB>) -> Self {
        Self { lease }
    }

    /// The scope that it is leased for.
    pub const fn scope(&self) -> &Scope {
        &self.lease.scope
    }

    /// Begins a transaction, or a savepoint within one.
    ///
    /// # Errors
    ///
    /// When the database does not begin it, or when the running task works for another tenant.
    pub async fn begin(&mut self) -> Result<ScopedTransaction<'_, DB>, sqlx::Error> {
        ScopedTransaction::within(self).await
    }
}

impl<DB: Database> fmt::Debug for ScopedConnection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedConnection").field("tenant", self.scope().slug()).finish_non_exhaustive()
    }
}

impl<'c, DB> Executor<'c> for &'c mut ScopedConnection<DB>
where
    DB: Scopable,
{
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        match Request::new(query) {
            Ok(request) => self.lease.run(request, false),
            Err(error) => Box::pin(futures_util::stream::once(std::future::ready(Err(error)))),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let request = Request::new(query);
        Box::pin(async move { self.lease.first(request?, false).await })
    }

    fn prepare_with<'e>(
        self,
        text: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.lease.prepare(text, parameters).await })
    }

    #[doc(hidden)]
    fn describe<'e>(self, text: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<DB>, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.lease.describe(text).await })
    }
}
