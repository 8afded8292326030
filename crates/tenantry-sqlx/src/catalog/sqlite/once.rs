//! What was good for one use: spent in a transaction, with its entry in the audit log.

use std::time::SystemTime;

use tenantry_core::{Act, BoxFuture, CatalogError, Deed, FORGET_AFTER, Once, Spent};

use super::store::SqliteCatalog;
use crate::catalog::record::to_millis;

impl Once for SqliteCatalog {
    fn spend<'a>(
        &'a self,
        id: &'a str,
        until: SystemTime,
        act: &'a Act,
        deed: &'a Deed,
    ) -> BoxFuture<'a, Result<Spent, CatalogError>> {
        Box::pin(async move {
            let failed = |error| self.place.failed(error);
            let _turn = self.writing.lock().await;
            let pool = self.pool().await?;
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
            let spend = sqlx::query(SPEND).bind(id).bind(to_millis(until)).execute(&mut *transaction).await;
            if spend.map_err(failed)?.rows_affected() == 0 {
                return Ok(Spent::Before);
            }
            let forget = sqlx::query(FORGET).bind(to_millis(SystemTime::now() - FORGET_AFTER));
            forget.execute(&mut *transaction).await.map_err(failed)?;
            self.log(&mut transaction, act, deed).await?;
            transaction.commit().await.map_err(failed)?;
            Ok(Spent::Now)
        })
    }
}

const SPEND: &str = "INSERT INTO spent (id, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

const FORGET: &str = "DELETE FROM spent WHERE until < ?1";
