//! What tenants have used, in a PostgreSQL database, in the schema `tenantry_usage`.

use std::{fmt, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, postgres::PgConnectOptions};
use tenantry_core::{Batch, BoxFuture, Hour, Step, TenantId, UsageError, UsageStore, Used};

use super::{AT_ONCE, REMEMBERED, add, hours, read, used};
use crate::lines::{Lines, Tables, Unavailable};

/// What the tenants of all processes have used, in a PostgreSQL database.
///
/// Its tables are in the schema `tenantry_usage`, which the role has to be able to make (`CREATE` on the database), or to own.
/// It has one connection. When the server was away, the next operation connects anew.
pub struct PgUsage {
    lines: Lines<1, UsageError>,
}

impl PgUsage {
    /// In this database. Each operation may take `timeout`.
    ///
    /// # Errors
    ///
    /// When the server is away, lets the role in nowhere, or the tables are from a newer version.
    pub async fn open(options: PgConnectOptions, timeout: Duration) -> Result<Self, UsageError> {
        Ok(Self { lines: Lines::open(options, "tenantry usage", timeout, TABLES).await? })
    }

    /// Closes the connection. Later operations make a new one.
    pub async fn close(&self) {
        self.lines.close().await;
    }
}

async fn add_batch(connection: &mut PgConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let hour = Hour::now().get();
    let new = sqlx::query(NEXT).bind(batch.process).bind(batch.number).bind(hour).execute(&mut *transaction).await?;
    if new.rows_affected() == 0 {
        return transaction.rollback().await;
    }
    for some in batch.used.chunks(AT_ONCE) {
        add::<Postgres>("tenantry_usage.usage", some).build().persistent(false).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

impl Unavailable for UsageError {
    fn at(place: String, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self { place, source }
    }
}

impl UsageStore for PgUsage {
    fn add<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), UsageError>> {
        Box::pin(self.lines.run(async move |connection| add_batch(connection, batch).await))
    }

    fn read(&self, tenant: Option<TenantId>, since: Hour, step: Step) -> BoxFuture<'_, Result<Vec<Used>, UsageError>> {
        Box::pin(self.lines.run(async move |connection| {
            let text = AssertSqlSafe(read("tenantry_usage.usage", ["$1", "$2", "$3"], "greatest", "::bigint"));
            let query = sqlx::query(text).bind(tenant.map(TenantId::get)).bind(since.get()).bind(hours(step));
            query.fetch_all(connection).await?.iter().map(used).collect()
        }))
    }

    fn hours(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UsageError>> {
        Box::pin(self.lines.run(async move |connection| {
            let count = sqlx::query_scalar("SELECT count(*) FROM tenantry_usage.usage WHERE tenant = $1");
            let count: i64 = count.bind(tenant.get()).fetch_one(connection).await?;
            Ok(count.unsigned_abs())
        }))
    }

    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UsageError>> {
        Box::pin(self.lines.run(async move |connection| {
            let forget = sqlx::query("DELETE FROM tenantry_usage.usage WHERE tenant = $1").bind(tenant.get());
            Ok(forget.execute(connection).await?.rows_affected())
        }))
    }

    fn expire(&self, before: Hour) -> BoxFuture<'_, Result<u64, UsageError>> {
        Box::pin(self.lines.run(async move |connection| {
            let forget = sqlx::query("DELETE FROM tenantry_usage.batches WHERE hour < $1");
            forget.bind(Hour::now().get() - REMEMBERED).execute(&mut *connection).await?;
            let expired = sqlx::query("DELETE FROM tenantry_usage.usage WHERE hour < $1").bind(before.get());
            Ok(expired.execute(connection).await?.rows_affected())
        }))
    }
}

impl fmt::Debug for PgUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgUsage").field("place", &self.lines.place()).finish_non_exhaustive()
    }
}

/// Notes a batch, unless it is one that was written.
const NEXT: &str = "
    INSERT INTO tenantry_usage.batches AS b (process, number, hour) VALUES ($1, $2, $3)
    ON CONFLICT (process) DO UPDATE SET number = excluded.number, hour = excluded.hour WHERE b.number < excluded.number";

const TABLES: Tables = Tables {
    is_there: "SELECT to_regclass('tenantry_usage.layout') IS NOT NULL",
    make: include_str!("1.sql"),
    version: "SELECT version FROM tenantry_usage.layout",
    known: 1,
    // "TntyUsag" in ASCII.
    lock: 0x546e_7479_5573_6167,
};
