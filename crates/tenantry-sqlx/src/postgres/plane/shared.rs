//! The rows of a tenant in the shared tables.

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_core::Amount;
use tenantry_sql::TENANT;

use super::PgRows;
use crate::{
    RowsError,
    line::Taken,
    postgres::{
        adopt::{Rows, settle},
        schema::{self, enter, gone::ERASES},
    },
};

/// How many rows a tenant has.
pub(super) async fn count(plane: &PgRows, tenant: i64) -> Result<Amount, RowsError> {
    let Some(mut owner) = begin_if_there(plane).await? else { return Ok(Amount::default()) };
    enter(&mut owner, Some(tenant)).await?;
    let counted = count_within(&mut owner, tenant).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut *owner).await?;
    owner.give_back();
    Ok(counted)
}

/// Erases all that there is of a tenant, and says how many rows those were.
pub(super) async fn erase(plane: &PgRows, tenant: i64) -> Result<Amount, RowsError> {
    let Some(mut owner) = begin_if_there(plane).await? else { return Ok(Amount::default()) };
    // Who makes the tenant, or works on it, waits here or is waited for.
    let text = "SELECT FROM tenantry.tenants WHERE tenant = $1 FOR UPDATE";
    sqlx::query(text).bind(tenant).execute(&mut *owner).await?;
    enter(&mut owner, Some(tenant)).await?;
    // They may be marked as moved.
    let text = "SELECT set_config($1, $2, true)";
    sqlx::query(text).bind(ERASES).bind(tenant.to_string()).execute(&mut *owner).await?;
    let counted = count_within(&mut owner, tenant).await?;
    let tables = Rows::all(&mut owner).await?;
    let deletes = tables.iter().filter(|rows| !rows.is_global).map(Rows::delete);
    at_once(deletes, tenant, &[], &mut owner).await?;
    schema::numbering::forget(&mut owner, tenant).await?;
    let text = "DELETE FROM tenantry.tenants WHERE tenant = $1";
    sqlx::query(text).bind(tenant).execute(&mut *owner).await?;
    sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
    owner.give_back();
    Ok(counted)
}

/// Whose rows those of a tenant are: until it is first used, those of a new one.
pub(super) async fn number(connection: &mut PgConnection, tenant: i64) -> Result<i64, sqlx::Error> {
    let is_used = schema::has_tenant(connection, tenant).await?;
    Ok(if is_used { tenant } else { schema::PRISTINE })
}

/// Runs statements as one, at whose end all foreign keys are checked, so that no order of tables can be wrong. The tenant
/// is $1; what follows are rows.
pub(super) async fn at_once(
    statements: impl Iterator<Item = String>,
    tenant: i64,
    rows: &[Vec<String>],
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let parts: String = statements.enumerate().map(|(at, text)| format!(", part{at} AS ({text})")).collect();
    let text = AssertSqlSafe(format!("WITH tenant AS (SELECT $1::bigint){parts} SELECT"));
    let query = sqlx::query(text).persistent(false).bind(tenant);
    rows.iter().fold(query, |query, rows| query.bind(rows)).execute(connection).await.map(drop)
}

/// Begins a transaction during which the schema stays as it is; nothing if Tenantry has made none here yet.
async fn begin_if_there(plane: &PgRows) -> Result<Option<Taken<'_>>, sqlx::Error> {
    let mut owner = plane.to.take().await?;
    settle(&mut owner).await?;
    let text = "SELECT to_regclass('tenantry.tenants') IS NOT NULL AND to_regclass('tenantry.counters') IS NOT NULL";
    if !sqlx::query_scalar(text).fetch_one(&mut *owner).await? {
        owner.give_back();
        return Ok(None);
    }
    sqlx::raw_sql("BEGIN").execute(&mut *owner).await?;
    schema::wait_and_keep_schema(&mut owner).await?;
    Ok(Some(owner))
}

async fn count_within(owner: &mut PgConnection, tenant: i64) -> Result<Amount, sqlx::Error> {
    let mut amount = Amount::default();
    for rows in Rows::all(owner).await?.iter().filter(|rows| !rows.is_global) {
        let text = AssertSqlSafe(format!("SELECT count(*) FROM {} WHERE {TENANT} = $1", rows.shared()));
        let count: i64 = sqlx::query_scalar(text).persistent(false).bind(tenant).fetch_one(&mut *owner).await?;
        amount += Amount::items(count.unsigned_abs());
    }
    Ok(amount)
}
