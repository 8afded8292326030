//! How a statement runs on a lease.

use async_stream::try_stream;
use futures_util::{TryStreamExt, stream::BoxStream};
use sqlx::{AssertSqlSafe, Database, Either, Execute, SqlSafeStr, SqlStr};
use tenantry_core::Count;
use tenantry_sql::{Effect, Transaction};

use super::{Lease, Scopable, ScopeError, statement::Ready};

/// What a statement gives: rows, and how many it changed.
pub(super) type Step<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

/// A statement taken apart, as sqlx gives it.
pub(super) struct Request<DB: Database> {
    text: SqlStr,
    arguments: Option<DB::Arguments>,
    persistent: bool,
}

impl<DB: Database> Request<DB> {
    pub(super) fn new<'q>(mut query: impl Execute<'q, DB>) -> Result<Self, sqlx::Error> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let persistent = query.persistent();
        Ok(Self { text: query.sql(), arguments, persistent })
    }
}

impl<DB: Scopable> Lease<DB> {
    /// Runs a statement. On a pool, transactions cannot be begun and ended by statements.
    pub(super) fn run<'e>(
        &'e mut self,
        request: Request<DB>,
        on_pool: bool,
    ) -> BoxStream<'e, Result<Step<DB>, sqlx::Error>>
    where
        DB::Row: Send,
    {
        Box::pin(try_stream! {
            let Some(ready) = self.ready(request, on_pool).await? else {
                yield Either::Left(DB::QueryResult::default());
                return;
            };
            let Ready { effect, .. } = ready;
            self.before(effect).await?;
            {
                let mut steps = DB::fetch_many(self.connection.connection(), ready);
                loop {
                    match steps.try_next().await {
                        // What runs counts the rows, where the application's `TRUNCATE` would count none.
                        Ok(Some(Either::Left(_))) if effect == Some(Effect::Truncate) => {
                            yield Either::Left(DB::QueryResult::default());
                        }
                        Ok(Some(step)) => yield step,
                        Ok(None) => break,
                        Err(error) => {
                            drop(steps);
                            self.connection.end();
                            self.undo_own();
                            Err(self.connection.translate(error))?;
                            return;
                        }
                    }
                }
            }
            self.connection.end();
            self.after(effect, on_pool).await?;
        })
    }

    /// Begins a statement's own transaction, if it needs one.
    async fn before(&mut self, effect: Option<Effect>) -> Result<(), sqlx::Error> {
        if matches!(effect, Some(Effect::Transaction(_))) { Ok(()) } else { self.begin_own().await }
    }

    /// Ends a statement's own transaction. Of a pool's lease that has only read, nobody has to wait for the end.
    async fn after(&mut self, effect: Option<Effect>, on_pool: bool) -> Result<(), sqlx::Error> {
        if on_pool && effect == Some(Effect::Read) { Ok(()) } else { self.commit_own().await }
    }

    /// What is to be run; nothing when it is done already.
    async fn ready(&mut self, request: Request<DB>, on_pool: bool) -> Result<Option<Ready<DB>>, sqlx::Error> {
        // On a pool the lease is the call's own, whoever polls.
        if !on_pool {
            self.check_scope()?;
        }
        let Request { text, arguments, persistent } = request;
        let planned = self.statements.plan(text.as_str()).await;
        self.scope.usage().add(if planned.is_ok() { Count::Statements } else { Count::Refusals }, 1);
        let Some(plan) = planned.map_err(ScopeError::from)? else {
            return Ok(Some(Ready::as_written(text, arguments, persistent)));
        };
        if let Effect::Transaction(what) = plan.effect {
            if on_pool {
                return Err(ScopeError::TransactionOnPool.into());
            }
            if self.connection.needs_transaction() {
                return self.counted(&plan, what).await;
            }
            // Nobody counts these, so that the connection cannot be proved clean afterwards.
            self.connection.spoil();
        }
        if plan.outlives_transaction {
            self.connection.spoil();
        }
        let ready = Ready::planned(&plan, arguments, persistent, self.scope.id().get())?;
        self.connection.begin(&plan);
        Ok(Some(ready))
    }

    /// The first row of a statement.
    pub(super) async fn first(&mut self, request: Request<DB>, on_pool: bool) -> Result<Option<DB::Row>, sqlx::Error> {
        let Some(ready) = self.ready(request, on_pool).await? else { return Ok(None) };
        let Ready { effect, .. } = ready;
        self.before(effect).await?;
        let first = DB::fetch_optional(self.connection.connection(), ready).await;
        self.connection.end();
        match first {
            Ok(row) => self.after(effect, on_pool).await.map(|()| row),
            Err(error) => {
                self.undo_own();
                Err(self.connection.translate(error))
            }
        }
    }
}

impl<DB: Scopable> Lease<DB> {
    pub(super) async fn prepare(
        &mut self,
        text: SqlStr,
        parameters: &[DB::TypeInfo],
    ) -> Result<DB::Statement, sqlx::Error> {
        let text = self.scoped_text(text).await?;
        let prepared = DB::prepare_with(self.connection.connection(), text, parameters).await;
        prepared.map_err(|error| self.connection.translate(error))
    }

    pub(super) async fn describe(&mut self, text: SqlStr) -> Result<sqlx::Describe<DB>, sqlx::Error> {
        let text = self.scoped_text(text).await?;
        // The database may plan the statement, and asks then whose rows are meant.
        self.begin_own().await?;
        let described = DB::describe(self.connection.connection(), text).await;
        self.undo_own();
        described.map_err(|error| self.connection.translate(error))
    }

    async fn scoped_text(&mut self, text: SqlStr) -> Result<SqlStr, sqlx::Error> {
        self.check_scope()?;
        self.commit_own().await?;
        let plan = self.statements.plan(text.as_str()).await.map_err(ScopeError::from)?;
        let Some(plan) = plan else { return Ok(text) };
        self.connection.begin(&plan);
        Ok(AssertSqlSafe(std::sync::Arc::clone(&plan.text)).into_sql_str())
    }
}

impl<DB: Database> Lease<DB> {
    /// A statement that begins a transaction, and does nothing else.
    pub(super) async fn beginning(&mut self, text: SqlStr) -> Result<SqlStr, sqlx::Error> {
        let plan = self.statements.plan(text.as_str()).await.map_err(ScopeError::from)?;
        match plan {
            None => Ok(text),
            Some(plan) if plan.effect == Effect::Transaction(Transaction::Begin) => {
                Ok(AssertSqlSafe(std::sync::Arc::clone(&plan.text)).into_sql_str())
            }
            Some(_) => Err(ScopeError::NoBeginning.into()),
        }
    }
}
