//! A database of the tenant's own.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tenantry_core::{Amount, TenantId};
use tenantry_sql::{Name, Quoted};

use super::PgRows;
use crate::{
    RowsError,
    postgres::{adopt::settle, dedicated, failure::has_no_database},
};

/// How much a database has: rows, and the bytes that it takes. There may be none.
pub(super) async fn count(plane: &PgRows, tenant: TenantId) -> Result<Amount, RowsError> {
    let mut amount = Amount::default();
    if !exists(plane, tenant).await? {
        return Ok(amount);
    }
    let mut connection = match connect(plane, tenant).await {
        // Somebody is dropping it.
        Err(error) if has_no_database(&error) => return Ok(amount),
        connected => connected?,
    };
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut connection).await?;
    let text = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relkind = 'r' \
                AND relname <> '_sqlx_migrations' ORDER BY relname";
    let tables: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut connection).await?;
    for table in tables.iter().filter(|table| !plane.options.global.contains(&Name::exact(table.as_str()))) {
        let text = AssertSqlSafe(format!("SELECT count(*) FROM public.{}", Quoted::new(table)));
        let rows: i64 = sqlx::query_scalar(text).persistent(false).fetch_one(&mut connection).await?;
        amount += Amount::items(rows.unsigned_abs());
    }
    let text = "SELECT pg_database_size(current_database())";
    let bytes: i64 = sqlx::query_scalar(text).fetch_one(&mut connection).await?;
    amount.bytes = bytes.unsigned_abs();
    connection.close().await?;
    Ok(amount)
}

/// Drops a database, and what was to become it and was not finished. Says what it had. Connections to it are ended.
pub(super) async fn erase(plane: &PgRows, tenant: TenantId) -> Result<Amount, RowsError> {
    let amount = count(plane, tenant).await?;
    let mut owner = plane.to.take().await?;
    let name = dedicated::name(&plane.options, tenant);
    dedicated::drop_database(&dedicated::importing(&name), &mut owner).await?;
    dedicated::drop_database(&name, &mut owner).await?;
    owner.give_back();
    Ok(amount)
}

/// Whether there is one.
pub(super) async fn exists(plane: &PgRows, tenant: TenantId) -> Result<bool, sqlx::Error> {
    let mut owner = plane.to.take().await?;
    let exists = dedicated::exists(&dedicated::name(&plane.options, tenant), &mut owner).await?;
    owner.give_back();
    Ok(exists)
}

/// Makes one if there is none, with the tables that the application's migrations make, as far as these are known.
pub(super) async fn make(plane: &PgRows, tenant: TenantId) -> Result<(), sqlx::Error> {
    dedicated::make(&plane.options, tenant, plane.migrator.as_ref()).await.map(drop)
}

/// Connects to it, as the role that it belongs to.
pub(super) async fn connect(plane: &PgRows, tenant: TenantId) -> Result<PgConnection, sqlx::Error> {
    let name = dedicated::name(&plane.options, tenant);
    let mut connection = plane.options.application.clone().database(&name).connect().await?;
    settle(&mut connection).await?;
    Ok(connection)
}
