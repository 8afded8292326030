//! What was good for one use: spent in a transaction, with its entry in the audit log.

use std::time::SystemTime;

use tenantry_core::{Act, BoxFuture, CatalogError, Deed, FORGET_AFTER, Once, Spent};

use super::store::PgCatalog;
use crate::catalog::record::to_millis;

impl Once for PgCatalog {
    fn spend<'a>(
        &'a self,
        id: &'a str,
        until: SystemTime,
        act: &'a Act,
        deed: &'a Deed,
    ) -> BoxFuture<'a, Result<Spent, CatalogError>> {
        let spend = async move {
            let failed = |error| self.place.failed(error);
            let mut taken = self.writing.take().await.map_err(failed)?;
            // Writers come one after the other, so nobody else is between the insertion and the commit.
            let (mut transaction, _) = self.begin(&mut taken).await?;
            let spend = sqlx::query(SPEND).bind(id).bind(to_millis(until)).execute(&mut *transaction).await;
            if spend.map_err(failed)?.rows_affected() == 0 {
                transaction.rollback().await.map_err(failed)?;
                taken.give_back();
                return Ok(Spent::Before);
            }
            let forget = sqlx::query(FORGET).bind(to_millis(SystemTime::now() - FORGET_AFTER));
            forget.execute(&mut *transaction).await.map_err(failed)?;
            self.log(&mut transaction, act, deed).await?;
            self.commit(transaction).await?;
            taken.give_back();
            Ok(Spent::Now)
        };
        Box::pin(self.place.within(spend))
    }
}

const SPEND: &str = "INSERT INTO tenantry.catalog_spent (id, until) VALUES ($1, $2) ON CONFLICT DO NOTHING";

const FORGET: &str = "DELETE FROM tenantry.catalog_spent WHERE until < $1";
