//! One migration at a time, and none while a tenant is made.

use sqlx::PgConnection;

/// The number of the advisory lock: the letters "tenantry".
const KEY: i64 = 0x7465_6e61_6e74_7279;

/// Waits until nobody else migrates or makes tenants, and keeps them waiting until [`release`], or until the connection
/// is closed.
pub(super) async fn take(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_catalog.pg_advisory_lock($1)").bind(KEY).execute(owner).await.map(drop)
}

/// Lets others in again.
pub(super) async fn release(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_catalog.pg_advisory_unlock($1)").bind(KEY).execute(owner).await.map(drop)
}

/// The same until the transaction ends.
pub(super) async fn take_for_transaction(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_catalog.pg_advisory_xact_lock($1)").bind(KEY).execute(owner).await.map(drop)
}

/// Keeps migrations waiting until the transaction ends. Waits for the one that runs now.
pub(in crate::postgres) async fn wait_and_keep_schema(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_catalog.pg_advisory_xact_lock_shared($1)").bind(KEY).execute(connection).await.map(drop)
}

/// Keeps migrations waiting until the transaction ends, if none runs now. Says whether.
pub(super) async fn keep_schema(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let text = "SELECT pg_catalog.pg_try_advisory_xact_lock_shared($1)";
    sqlx::query_scalar(text).bind(KEY).fetch_one(connection).await
}
