//! The audit log: an entry with each change, in its transaction.

use sqlx::{FromRow, Postgres, Transaction, postgres::PgRow};
use tenantry_core::{Act, Audit, AuditEntry, AuditFilter, BoxFuture, CatalogError, Deed, TenantId};

use super::store::PgCatalog;
use crate::catalog::record::{Entry, next_entry, to_millis};

impl PgCatalog {
    /// Adds an entry within a transaction that is to be committed, and that stands in the queue of writers.
    pub(super) async fn log(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        act: &Act,
        deed: &Deed,
    ) -> Result<AuditEntry, CatalogError> {
        let failed = |error| self.place.failed(error);
        let last = sqlx::query_as(LAST).fetch_optional(&mut **transaction).await.map_err(failed)?;
        let entry = next_entry(last, act, deed).map_err(|detail| self.place.corrupt(detail))?;
        sqlx::query(INSERT)
            .bind(entry.number)
            .bind(to_millis(entry.at))
            .bind(&act.who)
            .bind(&act.from)
            .bind(&act.why)
            .bind(&deed.verb)
            .bind(deed.tenant.map(TenantId::get))
            .bind(deed.slug.as_ref().map(|slug| slug.as_str()))
            .bind(&deed.detail)
            .bind(entry.link.as_bytes().as_slice())
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
        Ok(entry)
    }

    fn entry(&self, row: &PgRow) -> Result<AuditEntry, CatalogError> {
        let entry = Entry::from_row(row).map_err(|error| self.place.corrupt(error.to_string()))?;
        entry.into_entry().map_err(|detail| self.place.corrupt(detail))
    }
}

impl Audit for PgCatalog {
    fn act(&self) -> &Act {
        &self.act
    }

    fn note<'a>(&'a self, act: &'a Act, deed: &'a Deed) -> BoxFuture<'a, Result<AuditEntry, CatalogError>> {
        Box::pin(async move {
            let mut taken = self.writing.take().await.map_err(|error| self.place.failed(error))?;
            // A version that is drawn and belongs to no change is skipped by those who follow.
            let (mut transaction, _) = self.begin(&mut taken).await?;
            let entry = self.log(&mut transaction, act, deed).await?;
            self.commit(transaction).await?;
            taken.give_back();
            Ok(entry)
        })
    }

    fn entries(
        &self,
        after: i64,
        filter: AuditFilter,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<AuditEntry>, CatalogError>> {
        Box::pin(async move {
            let entries = match filter {
                AuditFilter::All => sqlx::query(AFTER).bind(after).bind(i64::from(limit)),
                AuditFilter::Of(tenant) => sqlx::query(AFTER_OF).bind(after).bind(i64::from(limit)).bind(tenant.get()),
            };
            let rows = self.read(entries).await?;
            rows.iter().map(|row| self.entry(row)).collect()
        })
    }
}

const LAST: &str = "SELECT number, link FROM tenantry.catalog_audit ORDER BY number DESC LIMIT 1";

const INSERT: &str = "
    INSERT INTO tenantry.catalog_audit (number, at, who, origin, why, verb, tenant, slug, detail, link)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const AFTER: &str = "SELECT * FROM tenantry.catalog_audit WHERE number > $1 ORDER BY number LIMIT $2";

const AFTER_OF: &str =
    "SELECT * FROM tenantry.catalog_audit WHERE number > $1 AND tenant = $3 ORDER BY number LIMIT $2";
