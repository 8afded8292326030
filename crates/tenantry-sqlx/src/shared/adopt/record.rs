//! Which tenants' rows are being brought in, and which have been.
//!
//! A tenant with a record that is not finished is not served. Its rows are those of the source that come first, table by
//! table, so that they themselves say where to go on.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_sql::{Quoted, SchemaMap, TENANT};

use crate::{
    native,
    shared::{keeper::Keeper, owner::Taken, provision::tenants_tables},
};

/// An adoption.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::shared) struct Record {
    /// The path of the source.
    pub(in crate::shared) source: String,
    /// What the source had in it.
    pub(in crate::shared) fingerprint: String,
    /// The version of the shared schema.
    pub(in crate::shared) schema: i64,
    /// Which call works on it: a later one takes it away from an earlier one.
    pub(in crate::shared) run: i64,
    pub(in crate::shared) finished: bool,
}

/// The record of a tenant.
pub(in crate::shared) async fn of(tenant: i64, owner: &mut SqliteConnection) -> Result<Option<Record>, sqlx::Error> {
    let text = "SELECT source, fingerprint, schema, run, finished FROM main._tenantry_adoptions WHERE tenant = ?";
    sqlx::query_as(text).bind(tenant).fetch_optional(owner).await
}

/// Writes the record of a tenant.
pub(in crate::shared) async fn write(
    tenant: i64,
    record: &Record,
    owner: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let text = "REPLACE INTO main._tenantry_adoptions (tenant, source, fingerprint, schema, run, finished) \
                VALUES (?, ?, ?, ?, ?, ?)";
    let write = sqlx::query(text).bind(tenant).bind(&record.source).bind(&record.fingerprint).bind(record.schema);
    write.bind(record.run).bind(record.finished).execute(owner).await?;
    Ok(())
}

/// Whether the rows of a tenant are incomplete.
pub(in crate::shared) async fn is_unfinished(tenant: i64, owner: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let text = "SELECT EXISTS (SELECT 1 FROM main._tenantry_adoptions WHERE tenant = ? AND NOT finished)";
    sqlx::query_scalar(text).bind(tenant).fetch_one(owner).await
}

/// Takes back what of unfinished adoptions is there, before a migration: it would have to make sense of half of the rows.
/// They begin anew.
pub(in crate::shared) async fn discard_unfinished(keeper: &Keeper, owner: &mut Taken<'_>) -> Result<(), sqlx::Error> {
    let text = "SELECT tenant FROM main._tenantry_adoptions WHERE NOT finished";
    let tenants: Vec<i64> = sqlx::query_scalar(text).fetch_all(&mut **owner).await?;
    if tenants.is_empty() {
        return Ok(());
    }
    sqlx::raw_sql("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE").execute(&mut **owner).await?;
    keeper.reload_with(owner).await?;
    native::switch_triggers(owner, false).await?;
    for tenant in tenants {
        // It may have been finished by now.
        if is_unfinished(tenant, owner).await? {
            tracing::warn!(tenant, "an unfinished adoption is taken back before a migration; adopt the tenant again");
            discard(tenant, keeper.current().schema(), owner).await?;
        }
    }
    native::switch_triggers(owner, true).await?;
    sqlx::raw_sql("COMMIT; PRAGMA foreign_keys = ON").execute(&mut **owner).await?;
    Ok(())
}

/// Deletes the rows of a tenant and its record, with triggers and foreign keys switched off.
pub(in crate::shared) async fn discard(
    tenant: i64,
    schema: &SchemaMap,
    owner: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    for table in tenants_tables(schema) {
        let text = format!("DELETE FROM main.{} WHERE {TENANT} = ?", table.name.quoted());
        sqlx::query(AssertSqlSafe(text)).bind(tenant).execute(&mut *owner).await?;
    }
    for (table, column) in
        [("_tenantry_sequence", TENANT), ("_tenantry_tenants", "id"), ("_tenantry_adoptions", "tenant")]
    {
        let text = format!("DELETE FROM main.{} WHERE {} = ?", Quoted::new(table), Quoted::new(column));
        sqlx::query(AssertSqlSafe(text)).bind(tenant).execute(&mut *owner).await?;
    }
    Ok(())
}

/// How far the tenant's AUTOINCREMENT tables have counted, by their numbers.
pub(in crate::shared) async fn counted(
    tenant: i64,
    owner: &mut SqliteConnection,
) -> Result<HashMap<i64, i64>, sqlx::Error> {
    let text = "SELECT number, seq FROM main._tenantry_sequence WHERE _tenant = ?";
    let counted: Vec<(i64, i64)> = sqlx::query_as(text).bind(tenant).fetch_all(owner).await?;
    Ok(counted.into_iter().collect())
}
