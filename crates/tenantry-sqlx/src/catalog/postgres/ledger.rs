//! The ledger: operations, in the catalog's own transactions.

use sqlx::{FromRow, Postgres, Transaction, postgres::PgRow};
use tenantry_core::{
    BoxFuture, CatalogError, Deed, Ledger, LedgerError, NewOperation, Operation, OperationId, Outcome, Progress,
    Revision, Subject, Tenant, TenantId, Worker,
};

use super::store::PgCatalog;
use crate::catalog::operation::{OperationRow, lease_millis};

impl PgCatalog {
    async fn begin_operation(&self, new: NewOperation, worker: &Worker) -> Result<Operation, LedgerError> {
        let failed = |error| self.place.failed(error);
        let mut taken = self.writing.take().await.map_err(|error| self.place.failed(error))?;
        let (mut transaction, drawn) = self.begin(&mut taken).await?;
        let tenant = match new.subject {
            Subject::Existing(id, expected) => {
                self.is_free(&mut transaction, id).await?;
                self.renew(&mut transaction, drawn.version, id, expected).await?
            }
            Subject::New(new) => self.register(&mut transaction, &drawn, *new).await?,
        };
        let row = sqlx::query(BEGIN)
            .bind(tenant.id.get())
            .bind(tenant.slug.as_str())
            .bind(&new.verb)
            .bind(&new.input)
            .bind(&worker.name)
            .bind(drawn.now.saturating_add(lease_millis(worker)))
            .bind(drawn.now)
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed)?;
        let operation = self.operation(&row)?;
        self.log(&mut transaction, &self.act, &Deed::begun(&operation)).await?;
        self.commit(transaction).await?;
        taken.give_back();
        Ok(operation)
    }

    /// Refuses to do something to a tenant in whose midst another operation is.
    async fn is_free(&self, transaction: &mut Transaction<'_, Postgres>, id: TenantId) -> Result<(), LedgerError> {
        match self.unended(transaction, id).await? {
            None => Ok(()),
            Some(operation) => Err(LedgerError::busy(operation)),
        }
    }

    /// Gives a record another revision, if it still has the expected one.
    async fn renew(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        version: i64,
        id: TenantId,
        expected: Revision,
    ) -> Result<Tenant, CatalogError> {
        let tenant = self.within(transaction, id).await?;
        if tenant.revision != expected {
            return Err(CatalogError::Changed { id });
        }
        let renew =
            sqlx::query("UPDATE tenantry.catalog_tenants SET revision = $2 WHERE id = $1").bind(id.get()).bind(version);
        renew.execute(&mut **transaction).await.map_err(|error| self.place.failed(error))?;
        Ok(tenant)
    }

    async fn forget_tenant(&self, id: OperationId, worker: &Worker) -> Result<(), LedgerError> {
        let failed = |error| self.place.failed(error);
        let mut taken = self.writing.take().await.map_err(failed)?;
        let (mut transaction, drawn) = self.begin(&mut taken).await?;
        let mine = sqlx::query(MINE).bind(id.get()).bind(&worker.name);
        let mine = mine.fetch_optional(&mut *transaction).await.map_err(failed)?;
        let operation = self.operation(&mine.ok_or(LedgerError::Lost { id })?)?;
        self.delete_within(&mut transaction, &drawn, operation.tenant).await?;
        self.commit(transaction).await?;
        taken.give_back();
        Ok(())
    }

    /// The operation that is being done to a tenant, as it is within a transaction.
    pub(super) async fn unended(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        tenant: TenantId,
    ) -> Result<Option<Operation>, CatalogError> {
        let row = sqlx::query(OF).bind(tenant.get()).fetch_optional(&mut **transaction).await;
        row.map_err(|error| self.place.failed(error))?.map(|row| self.operation(&row)).transpose()
    }

    async fn end_operation(
        &self,
        id: OperationId,
        worker: &Worker,
        outcome: Outcome,
        progress: &Progress,
    ) -> Result<(), LedgerError> {
        let failed = |error| self.place.failed(error);
        let mut taken = self.writing.take().await.map_err(|error| self.place.failed(error))?;
        let (mut transaction, _) = self.begin(&mut taken).await?;
        let ended = sqlx::query(END)
            .bind(id.get())
            .bind(&worker.name)
            .bind(i64::from(progress.steps))
            .bind(progress.direction.as_str())
            .bind(progress.amounts_to_json())
            .bind(&progress.problem)
            .bind(outcome.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        let operation = self.operation(&ended.ok_or(LedgerError::Lost { id })?)?;
        self.log(&mut transaction, &self.act, &Deed::ended(&operation, outcome)).await?;
        self.commit(transaction).await?;
        taken.give_back();
        Ok(())
    }

    /// Runs a statement that changes one operation of the worker's, and answers with it.
    async fn alter(&self, id: OperationId, query: Query<'_>) -> Result<Operation, LedgerError> {
        let failed = |error| self.place.failed(error);
        let mut taken = self.writing.take().await.map_err(failed)?;
        let row = query.fetch_optional(&mut *taken).await.map_err(failed)?;
        taken.give_back();
        Ok(self.operation(&row.ok_or(LedgerError::Lost { id })?)?)
    }

    fn operation(&self, row: &PgRow) -> Result<Operation, CatalogError> {
        let row = OperationRow::from_row(row).map_err(|error| self.place.corrupt(error.to_string()))?;
        row.into_operation().map_err(|detail| self.place.corrupt(detail))
    }
}

impl Ledger for PgCatalog {
    fn begin<'a>(&'a self, new: NewOperation, worker: &'a Worker) -> BoxFuture<'a, Result<Operation, LedgerError>> {
        Box::pin(self.begin_operation(new, worker))
    }

    fn forget<'a>(&'a self, id: OperationId, worker: &'a Worker) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(self.forget_tenant(id, worker))
    }

    fn take<'a>(&'a self, id: OperationId, worker: &'a Worker) -> BoxFuture<'a, Result<Operation, LedgerError>> {
        let take = sqlx::query(TAKE).bind(id.get()).bind(&worker.name).bind(lease_millis(worker));
        Box::pin(self.alter(id, take))
    }

    fn keep<'a>(&'a self, id: OperationId, worker: &'a Worker) -> BoxFuture<'a, Result<(), LedgerError>> {
        let keep = sqlx::query(KEEP).bind(id.get()).bind(&worker.name).bind(lease_millis(worker));
        Box::pin(async move { self.alter(id, keep).await.map(drop) })
    }

    fn write<'a>(
        &'a self,
        id: OperationId,
        worker: &'a Worker,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        let write = sqlx::query(WRITE)
            .bind(id.get())
            .bind(&worker.name)
            .bind(lease_millis(worker))
            .bind(i64::from(progress.steps))
            .bind(progress.direction.as_str())
            .bind(progress.amounts_to_json())
            .bind(&progress.problem);
        Box::pin(async move { self.alter(id, write).await.map(drop) })
    }

    fn end<'a>(
        &'a self,
        id: OperationId,
        worker: &'a Worker,
        outcome: Outcome,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(self.end_operation(id, worker, outcome, progress))
    }

    fn of(&self, tenant: TenantId) -> BoxFuture<'_, Result<Option<Operation>, LedgerError>> {
        Box::pin(async move {
            let rows = self.read(sqlx::query(OF).bind(tenant.get())).await?;
            Ok(rows.first().map(|row| self.operation(row)).transpose()?)
        })
    }

    fn abandoned(&self, after: Option<OperationId>, limit: u32) -> BoxFuture<'_, Result<Vec<Operation>, LedgerError>> {
        Box::pin(async move {
            let after = after.map_or(i64::MIN, OperationId::get);
            let rows = self.read(sqlx::query(ABANDONED).bind(after).bind(i64::from(limit))).await?;
            Ok(rows.iter().map(|row| self.operation(row)).collect::<Result<_, _>>()?)
        })
    }

    fn history(
        &self,
        tenant: Option<TenantId>,
        before: Option<OperationId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Operation>, LedgerError>> {
        Box::pin(async move {
            let before = before.map_or(i64::MAX, OperationId::get);
            let page = match tenant {
                Some(tenant) => sqlx::query(PAGE_OF).bind(before).bind(i64::from(limit)).bind(tenant.get()),
                None => sqlx::query(PAGE).bind(before).bind(i64::from(limit)),
            };
            let rows = self.read(page).await?;
            Ok(rows.iter().map(|row| self.operation(row)).collect::<Result<_, _>>()?)
        })
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments>;

const BEGIN: &str = "
    INSERT INTO tenantry.catalog_operations
        (tenant, slug, verb, input, steps, direction, amounts, worker, leased_until, began_at)
    VALUES ($1, $2, $3, $4, 0, 'forth', '{}', $5, $6, $7)
    RETURNING *";

/// The server's clock is everybody's.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}

const TAKE: &str = concat!(
    "UPDATE tenantry.catalog_operations SET worker = $2, leased_until = $3 + ",
    now!(),
    " WHERE id = $1 AND outcome IS NULL AND (worker = $2 OR leased_until <= ",
    now!(),
    ") RETURNING *"
);

const KEEP: &str = concat!(
    "UPDATE tenantry.catalog_operations SET leased_until = $3 + ",
    now!(),
    " WHERE id = $1 AND outcome IS NULL AND worker = $2 RETURNING *"
);

const WRITE: &str = concat!(
    "UPDATE tenantry.catalog_operations SET steps = $4, direction = $5, amounts = $6, problem = $7, leased_until = $3 + ",
    now!(),
    " WHERE id = $1 AND outcome IS NULL AND worker = $2 RETURNING *"
);

const END: &str = concat!(
    "UPDATE tenantry.catalog_operations SET steps = $3, direction = $4, amounts = $5, problem = $6, outcome = $7, ended_at = ",
    now!(),
    " WHERE id = $1 AND outcome IS NULL AND worker = $2 RETURNING *"
);

const MINE: &str = "SELECT * FROM tenantry.catalog_operations WHERE id = $1 AND outcome IS NULL AND worker = $2";

const OF: &str = "SELECT * FROM tenantry.catalog_operations WHERE tenant = $1 AND outcome IS NULL";

const ABANDONED: &str = concat!(
    "SELECT * FROM tenantry.catalog_operations WHERE outcome IS NULL AND id > $1 AND leased_until <= ",
    now!(),
    " ORDER BY id LIMIT $2"
);

const PAGE: &str = "SELECT * FROM tenantry.catalog_operations WHERE id < $1 ORDER BY id DESC LIMIT $2";

const PAGE_OF: &str =
    "SELECT * FROM tenantry.catalog_operations WHERE id < $1 AND tenant = $3 ORDER BY id DESC LIMIT $2";
