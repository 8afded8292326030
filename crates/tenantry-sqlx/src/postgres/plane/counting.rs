//! How far ids have been given out, and are from then on.
//!
//! It is read after the moment that the rows are of has been fixed: whoever got an id for one of them had it before.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, SHARED_SCHEMA};

use super::copy::Source;
use crate::postgres::{
    adopt::{Counted, counted, raise},
    schema::numbering,
};

/// How far the sequences have counted where rows are read.
pub(super) async fn read(source: Source, reading: &mut PgConnection) -> Result<Vec<Counted>, sqlx::Error> {
    let Source::Tenant(tenant) = source else { return counted(reading).await };
    let own: HashMap<String, Option<i64>> = numbering::last_of(reading, tenant).await?.into_iter().collect();
    let mut all = Vec::new();
    // Those of the application are what they are called by; those that count are others.
    for Counted { name, .. } in counted(reading).await? {
        let last = match own.get(&name) {
            Some(last) => *last,
            // All tenants get ids from it, so that none of them is any other's.
            None => shared(&name, reading).await?,
        };
        all.push(Counted { name, is_readable: true, last });
    }
    Ok(all)
}

/// Lets the tenant's own go on from there, and none that all tenants share give out an id again.
pub(super) async fn stand_in_shared(
    counted: &[Counted],
    source: Source,
    tenant: i64,
    owner: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let last: HashMap<&str, Option<i64>> =
        counted.iter().map(|counted| (counted.name.as_str(), counted.last)).collect();
    let own = numbering::stand_all(owner, tenant, &last).await?;
    match source {
        Source::Own => raise(counted.iter().filter(|counted| !own.contains(&counted.name)), owner).await,
        Source::Tenant(_) => Ok(()),
    }
}

/// Lets the sequences of a database of a tenant's own go on from there.
pub(super) async fn stand_in_own(counted: &[Counted], own: &mut PgConnection) -> Result<(), sqlx::Error> {
    for Counted { name, last, .. } in counted {
        let name = format!("public.{}", Quoted::new(name));
        // The server takes it back with the transaction after this, and not before.
        sqlx::raw_sql(AssertSqlSafe(format!("ALTER SEQUENCE {name} RESTART"))).execute(&mut *own).await?;
        if let Some(last) = last {
            let text = "SELECT setval($1::regclass, $2)";
            sqlx::query(text).bind(name).bind(last).execute(&mut *own).await?;
        }
    }
    Ok(())
}

/// The last number that a shared sequence has given.
async fn shared(name: &str, reading: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let sequence = format!("{}.{}", Quoted::new(SHARED_SCHEMA), Quoted::new(name));
    let text = "SELECT to_regclass($1) IS NOT NULL";
    if !sqlx::query_scalar(text).bind(&sequence).fetch_one(&mut *reading).await? {
        return Ok(None);
    }
    let text = AssertSqlSafe(format!("SELECT last_value FROM {sequence} WHERE is_called"));
    sqlx::query_scalar(text).persistent(false).fetch_optional(reading).await
}
