//! What tenants have used, in one SQLite file.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection, Sqlite, sqlite::SqliteSynchronous};
use tenantry_core::{Batch, BoxFuture, Hour, Step, TenantId, UsageError, UsageStore, Used};

use super::{AT_ONCE, REMEMBERED, add, hours, read, used};
use crate::store_file::{Contents, StoreFile};

/// What the tenants of all processes on a machine have used, in one SQLite file.
pub struct SqliteUsage {
    file: StoreFile,
}

impl SqliteUsage {
    /// Opens the file, and makes it when it is missing.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or made, or belongs to something else.
    pub async fn open(path: impl Into<PathBuf>, busy_timeout: Duration) -> Result<Self, UsageError> {
        let path = path.into();
        let file = StoreFile::open(&path, busy_timeout, CONTENTS).await;
        file.map(|file| Self { file }).map_err(|error| unavailable(&path, error))
    }

    /// Closes the file. Later operations fail.
    pub async fn close(&self) {
        self.file.pool.close().await;
    }

    async fn add_batch(&self, batch: &Batch) -> Result<(), sqlx::Error> {
        let mut connection = self.file.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let hour = Hour::now().get();
        let new =
            sqlx::query(NEXT).bind(batch.process).bind(batch.number).bind(hour).execute(&mut *transaction).await?;
        if new.rows_affected() == 0 {
            return transaction.rollback().await;
        }
        for some in batch.used.chunks(AT_ONCE) {
            add::<Sqlite>("usage", some).build().persistent(false).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    async fn expire_hours(&self, before: Hour) -> Result<u64, sqlx::Error> {
        let remembered = Hour::now().get() - REMEMBERED;
        sqlx::query("DELETE FROM batches WHERE hour < ?").bind(remembered).execute(&self.file.pool).await?;
        let expired = sqlx::query("DELETE FROM usage WHERE hour < ?").bind(before.get());
        Ok(expired.execute(&self.file.pool).await?.rows_affected())
    }

    fn failed(&self, error: sqlx::Error) -> UsageError {
        unavailable(self.file.path(), error)
    }
}

impl UsageStore for SqliteUsage {
    fn add<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), UsageError>> {
        Box::pin(async move { self.add_batch(batch).await.map_err(|error| self.failed(error)) })
    }

    fn read(&self, tenant: Option<TenantId>, since: Hour, step: Step) -> BoxFuture<'_, Result<Vec<Used>, UsageError>> {
        Box::pin(async move {
            let text = AssertSqlSafe(read("usage", ["?1", "?2", "?3"], "max", ""));
            let query = sqlx::query(text).bind(tenant.map(TenantId::get)).bind(since.get()).bind(hours(step));
            let rows = query.fetch_all(&self.file.pool).await;
            rows.and_then(|rows| rows.iter().map(used).collect()).map_err(|error| self.failed(error))
        })
    }

    fn hours(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UsageError>> {
        Box::pin(async move {
            let count = sqlx::query_scalar("SELECT count(*) FROM usage WHERE tenant = ?").bind(tenant.get());
            let count: i64 = count.fetch_one(&self.file.pool).await.map_err(|error| self.failed(error))?;
            Ok(count.unsigned_abs())
        })
    }

    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UsageError>> {
        Box::pin(async move {
            let forget = sqlx::query("DELETE FROM usage WHERE tenant = ?").bind(tenant.get());
            let forgotten = forget.execute(&self.file.pool).await.map_err(|error| self.failed(error))?;
            Ok(forgotten.rows_affected())
        })
    }

    fn expire(&self, before: Hour) -> BoxFuture<'_, Result<u64, UsageError>> {
        Box::pin(async move { self.expire_hours(before).await.map_err(|error| self.failed(error)) })
    }
}

impl fmt::Debug for SqliteUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteUsage").field("path", &self.file.path()).finish_non_exhaustive()
    }
}

fn unavailable(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> UsageError {
    UsageError { place: path.display().to_string(), source: source.into() }
}

/// Notes a batch, unless it is one that was written.
const NEXT: &str = "
    INSERT INTO batches AS b (process, number, hour) VALUES (?, ?, ?)
    ON CONFLICT (process) DO UPDATE SET number = excluded.number, hour = excluded.hour WHERE b.number < excluded.number";

const CONTENTS: Contents = Contents {
    what: "usage",
    // "Tnug" in ASCII.
    application: 0x546e_7567,
    version: 1,
    make: include_str!("1.sql"),
    // A power cut may take the last minutes.
    synchronous: SqliteSynchronous::Normal,
};
