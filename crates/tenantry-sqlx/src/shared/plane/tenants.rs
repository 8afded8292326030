//! The rows of a tenant in the shared tables.

use std::time::Instant;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_core::{Amount, Listener, Tenant};
use tenantry_sql::{Quoted, TENANT, Table};

use super::{error::RowsError, moving};
use crate::{
    native,
    shared::{
        adopt,
        keeper::Keeper,
        owner::Taken,
        provision::{self, PRISTINE, tenants_tables},
        store,
    },
};

/// How many rows are erased in one transaction, at most. Nobody else writes meanwhile.
const BATCH: u64 = 5_000;

/// After a batch, so much of its time is left to others: a fourth.
const PAUSE: u32 = 4;

/// How many rows a tenant has.
pub(in crate::shared) async fn count(keeper: &Keeper, tenant: i64) -> Result<Amount, sqlx::Error> {
    let mut owner = keeper.owner().await?;
    sqlx::raw_sql("BEGIN").execute(&mut *owner).await?;
    keeper.reload_with(&mut owner).await?;
    let schema = keeper.current();
    let mut amount = Amount::default();
    for table in tenants_tables(schema.schema()) {
        let text = format!("SELECT count(*) FROM main.{} WHERE {TENANT} = ?", table.name.quoted());
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(text)).bind(tenant).fetch_one(&mut *owner).await?;
        amount += Amount::items(rows.unsigned_abs());
    }
    sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
    owner.put_back();
    Ok(amount)
}

/// Erases all that there is of a tenant, and says how many rows those were.
pub(super) async fn erase(keeper: &Keeper, tenant: i64, listener: &Listener) -> Result<Amount, sqlx::Error> {
    let mut amount = Amount::default();
    loop {
        let begun = Instant::now();
        let erased = erase_batch(keeper, tenant).await?;
        amount += Amount::items(erased);
        listener.done(erased);
        if erased < BATCH {
            return Ok(amount);
        }
        // Others wait for the lock in short sleeps, and have to find it free.
        tokio::time::sleep(begun.elapsed() / PAUSE).await;
    }
}

/// Erases some rows; with the last ones whatever else there is of the tenant.
async fn erase_batch(keeper: &Keeper, tenant: i64) -> Result<u64, sqlx::Error> {
    let mut owner = begin(keeper).await?;
    let schema = keeper.current();
    let mut erased = 0;
    for table in tenants_tables(schema.schema()) {
        erased += erase_some(&mut owner, table, tenant, BATCH - erased).await?;
        if erased == BATCH {
            break;
        }
    }
    if erased < BATCH {
        adopt::discard(tenant, schema.schema(), &mut owner).await?;
    }
    end(owner).await?;
    Ok(erased)
}

async fn erase_some(owner: &mut SqliteConnection, table: &Table, tenant: i64, limit: u64) -> Result<u64, sqlx::Error> {
    let text = "SELECT name FROM pragma_table_info(?, 'main') WHERE pk > 0 AND name <> ? ORDER BY pk";
    let keys: Vec<String> =
        sqlx::query_scalar(text).bind(table.name.as_str()).bind(TENANT).fetch_all(&mut *owner).await?;
    let keys = keys.iter().map(|key| Quoted::new(key).to_string()).collect::<Vec<_>>().join(", ");
    let name = table.name.quoted();
    let text = format!(
        "DELETE FROM main.{name} WHERE {TENANT} = ?1 AND ({keys}) IN \
         (SELECT {keys} FROM main.{name} WHERE {TENANT} = ?1 LIMIT ?2)"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let erase = sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(limit);
    Ok(erase.execute(owner).await?.rows_affected())
}

/// Replaces the rows of one tenant by a copy of another's.
pub(super) async fn copy(
    keeper: &Keeper,
    from: &Tenant,
    to: &Tenant,
    listener: &Listener,
) -> Result<Amount, RowsError> {
    let mut owner = begin(keeper).await?;
    let source = number(&mut owner, "main", from).await?;
    let (schema, target) = (keeper.current(), to.id.get());
    adopt::discard(target, schema.schema(), &mut owner).await?;
    let mut amount = Amount::default();
    for table in tenants_tables(schema.schema()) {
        let copied = provision::copy(&mut owner, table, source, target).await?;
        amount += Amount::items(copied);
        listener.done(copied);
    }
    provision::copy_sequences(&mut owner, source, target).await?;
    store::register(target, &mut owner).await?;
    end(owner).await?;
    Ok(amount)
}

/// Whose rows those of a tenant are, in the shared tables of a database: until it is first used, those of a new one. Those
/// that are marked as moved are still its own.
pub(super) async fn number(
    connection: &mut SqliteConnection,
    database: &str,
    tenant: &Tenant,
) -> Result<i64, RowsError> {
    let is_here = is_used_in(database, tenant, connection).await?
        || moving::is_moved(database, tenant.id.get(), connection).await?;
    Ok(if is_here { tenant.id.get() } else { PRISTINE })
}

/// Whether a tenant has its rows here, and has not moved.
pub(super) async fn is_used(keeper: &Keeper, tenant: &Tenant) -> Result<bool, RowsError> {
    let mut owner = keeper.owner().await?;
    let is_used = is_used_in("main", tenant, &mut owner).await?;
    owner.put_back();
    Ok(is_used)
}

async fn is_used_in(database: &str, tenant: &Tenant, connection: &mut SqliteConnection) -> Result<bool, RowsError> {
    let id = tenant.id.get();
    let exists = |table: &str, what: &str| {
        AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {database}.{table} WHERE {what})"))
    };
    let unfinished = exists("_tenantry_adoptions", "tenant = ? AND NOT finished");
    if sqlx::query_scalar(unfinished).bind(id).fetch_one(&mut *connection).await? {
        return Err(RowsError::Incomplete(tenant.slug.clone()));
    }
    let registered = exists("_tenantry_tenants", "id = ?");
    Ok(sqlx::query_scalar(registered).bind(id).fetch_one(connection).await?)
}

/// Begins a transaction in which rows are all that changes: no trigger and no foreign key acts, since what they would do
/// has been done where the rows come from, or is of no use where all of them go.
pub(super) async fn begin(keeper: &Keeper) -> Result<Taken<'_>, sqlx::Error> {
    let mut owner = keeper.owner().await?;
    begin_on(keeper, &mut owner).await?;
    Ok(owner)
}

/// The same on a connection that is at hand.
pub(super) async fn begin_on(keeper: &Keeper, owner: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE").execute(&mut *owner).await?;
    keeper.reload_with(owner).await?;
    native::switch_triggers(owner, false).await
}

/// Ends it.
pub(super) async fn end(mut owner: Taken<'_>) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("COMMIT; PRAGMA foreign_keys = ON").execute(&mut *owner).await?;
    native::switch_triggers(&mut owner, true).await?;
    owner.put_back();
    Ok(())
}
