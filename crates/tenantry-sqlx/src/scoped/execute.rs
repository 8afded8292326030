//! How a statement runs on a lease.

use async_stream::try_stream;
use futures_util::{TryStreamExt, stream::BoxStream};
use sqlx::{AssertSqlSafe, Database, Either, Execute, SqlSafeStr, SqlStr};
use tenantry_core::Count;
use tenantry_sql::{Effect, Transaction};

use super::{Lease, Scopable, ScopeError, stale, statement::Ready};

/// What a statement gives: rows, and how many it changed.
pub(super) type Step<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

/// A statement taken apart, as sqlx gives it.
pub(super) struct Request<DB: Database> {
    pub(super) text: SqlStr,
    pub(super) arguments: Option<DB::Arguments>,
    pub(super) persistent: bool,
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
            let Ready { does, changes, mut looks, .. } = ready;
            let effect = does.effect;
            self.before(effect).await?;
            self.ask_for_room(does).await?;
            self.starts();
            let mut affected = 0;
            {
                let mut steps = DB::fetch_many(self.connection.connection(), ready);
                loop {
                    match steps.try_next().await {
                        Ok(Some(Either::Left(_))) if std::mem::take(&mut looks) => {}
                        Ok(Some(Either::Left(result))) => {
                            affected += DB::rows_changed(&result);
                            // What runs counts the rows, where the application's `TRUNCATE` would count none.
                            let is_truncate = effect == Some(Effect::Truncate);
                            yield Either::Left(if is_truncate { DB::QueryResult::default() } else { result });
                        }
                        Ok(Some(step)) => {
                            self.read += 1;
                            yield step;
                        }
                        Ok(None) => break,
                        Err(error) => {
                            drop(steps);
                            self.forget_stale(&error).await;
                            Err(self.fails(effect, error))?;
                            return;
                        }
                    }
                }
            }
            self.ends();
            self.count_changed(changes, affected);
            self.take_room(does, affected).await?;
            self.after(effect, on_pool).await?;
        })
    }

    /// Counts the rows that a statement has changed, if it is one that changes any.
    fn count_changed(&self, changes: bool, rows: u64) {
        if changes && rows > 0 {
            self.scope.usage().add(Count::RowsChanged, rows);
        }
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
            self.check_place()?;
        }
        let Request { text, arguments, persistent } = request;
        let planned = self.statements.plan(text.as_str()).await;
        self.scope.usage().add(if planned.is_ok() { Count::Statements } else { Count::Refusals }, 1);
        let Some(plan) = planned.map_err(ScopeError::from)? else {
            return Ok(Some(stale::as_written(text, arguments, persistent, on_pool)));
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
            self.doubt_room();
        }
        if plan.outlives_transaction {
            self.connection.spoil();
        }
        let ready = Ready::planned(&plan, arguments, persistent, self.scope.id().get())?;
        self.claim_room(&plan).await?;
        self.connection.begin(&plan);
        Ok(Some(ready))
    }

    /// The first row of a statement.
    pub(super) async fn first(&mut self, request: Request<DB>, on_pool: bool) -> Result<Option<DB::Row>, sqlx::Error> {
        let Some(ready) = self.ready(request, on_pool).await? else { return Ok(None) };
        let Ready { does, changes, .. } = ready;
        let effect = does.effect;
        self.before(effect).await?;
        self.ask_for_room(does).await?;
        self.starts();
        let first = match changes {
            true => first_of_all(self.connection.connection(), ready).await,
            false => DB::fetch_optional(self.connection.connection(), ready).await.map(|row| (row, 0)),
        };
        match first {
            Ok((row, affected)) => {
                self.read = u64::from(row.is_some());
                self.ends();
                self.count_changed(changes, affected);
                self.take_room(does, affected).await?;
                self.after(effect, on_pool).await.map(|()| row)
            }
            Err(error) => {
                self.forget_stale(&error).await;
                Err(self.fails(effect, error))
            }
        }
    }

    /// Forgets what was prepared, if it is of another schema.
    async fn forget_stale(&mut self, error: &sqlx::Error) {
        if DB::is_stale(error) {
            DB::forget_prepared(self.connection.connection()).await;
        }
    }
}

/// The first row of a statement that is run to its end, and how many rows it has changed.
async fn first_of_all<DB: Scopable>(
    connection: &mut DB::Connection,
    ready: Ready<DB>,
) -> Result<(Option<DB::Row>, u64), sqlx::Error> {
    let (mut first, mut affected, mut looks) = (None, 0, ready.looks);
    let mut steps = DB::fetch_many(connection, ready);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(_) if std::mem::take(&mut looks) => {}
            Either::Left(result) => affected += DB::rows_changed(&result),
            Either::Right(row) => first = first.or(Some(row)),
        }
    }
    drop(steps);
    Ok((first, affected))
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
