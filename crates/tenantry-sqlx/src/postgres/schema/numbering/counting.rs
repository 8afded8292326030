//! What a tenant counts with, and how far it has come.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, SHARED_SCHEMA, TENANT};

use super::{
    super::{migrate::enter, provision::PRISTINE},
    Numbered, read,
};

/// Gives a new tenant what it counts with, standing where the pristine one's stands.
pub(in crate::postgres) async fn provision(owner: &mut PgConnection, tenant: i64) -> Result<(), sqlx::Error> {
    let mut begins = Vec::new();
    for numbered in read(owner).await? {
        let last = numbered.counted(owner, PRISTINE).await?;
        begins.push(numbered.begin(tenant, last));
    }
    run(owner, &begins).await
}

/// Lets a tenant that got rows with ids of their own go on after the highest of them, and after the last number that was
/// given where they come from, by the sequences' names. Runs as the owner, in the transaction that the rows came in. Says
/// which sequences stand for tenants' own.
pub(in crate::postgres) async fn raise(
    owner: &mut PgConnection,
    tenant: i64,
    given: &HashMap<&str, i64>,
) -> Result<Vec<String>, sqlx::Error> {
    let mut names = Vec::new();
    for numbered in read(owner).await? {
        let counted = numbered.counted(owner, tenant).await?;
        let brought = given.get(numbered.name.as_str()).copied();
        let last = numbered.later(numbered.later(counted, brought), numbered.highest(owner, tenant).await?);
        if last != counted {
            numbered.stand(owner, tenant, last).await?;
        }
        names.push(numbered.name);
    }
    enter(owner, None).await?;
    Ok(names)
}

/// The last number that a tenant was given by each of the sequences that stand for tenants' own, by their names.
pub(in crate::postgres) async fn last_of(
    owner: &mut PgConnection,
    tenant: i64,
) -> Result<Vec<(String, Option<i64>)>, sqlx::Error> {
    let mut all = Vec::new();
    for numbered in read(owner).await? {
        let last = numbered.counted(owner, tenant).await?;
        all.push((numbered.name, last));
    }
    Ok(all)
}

/// How far a tenant has counted by itself: for each sequence that has given a number its name, the table that it belongs to,
/// and the last number. Leaves the tenant that the connection works for undecided.
pub(in crate::postgres) async fn counted(
    owner: &mut PgConnection,
    tenant: i64,
) -> Result<Vec<(String, Option<String>, i64)>, sqlx::Error> {
    let mut all = Vec::new();
    for numbered in read(owner).await? {
        let counted = numbered.counted(owner, tenant).await?;
        all.extend(counted.map(|last| (numbered.name, numbered.table, last)));
    }
    Ok(all)
}

/// Lets a tenant go on after exactly these numbers, by the sequences' names, whatever it has counted so far. Runs as the
/// owner, and is undone with the transaction. Says which sequences stand for tenants' own.
pub(in crate::postgres) async fn stand_all(
    owner: &mut PgConnection,
    tenant: i64,
    last: &HashMap<&str, Option<i64>>,
) -> Result<Vec<String>, sqlx::Error> {
    let mut names = Vec::new();
    for numbered in read(owner).await? {
        let last = last.get(numbered.name.as_str()).copied().flatten();
        let text = match numbered.is_gapless() {
            true => numbered.forget(tenant) + "; " + &numbered.begin(tenant, last),
            false => {
                let sequence = numbered.sequence_of(tenant);
                let is_there = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&sequence);
                match (is_there.fetch_one(&mut *owner).await?, last) {
                    (false, _) => numbered.begin(tenant, last),
                    // After this, and not before, the server takes a number back with the transaction.
                    (true, None) => format!("ALTER SEQUENCE {sequence} RESTART"),
                    (true, Some(last)) => {
                        format!("ALTER SEQUENCE {sequence} RESTART; SELECT pg_catalog.setval('{sequence}', {last})")
                    }
                }
            }
        };
        run(owner, &[text]).await?;
        names.push(numbered.name);
    }
    Ok(names)
}

/// Drops what a tenant counts with.
pub(in crate::postgres) async fn forget(owner: &mut PgConnection, tenant: i64) -> Result<(), sqlx::Error> {
    let statements: Vec<_> = read(owner).await?.iter().map(|numbered| numbered.forget(tenant)).collect();
    run(owner, &statements).await
}

/// Runs statements, many at once, and leaves no tenant behind.
pub(super) async fn run(owner: &mut PgConnection, statements: &[String]) -> Result<(), sqlx::Error> {
    for some in statements.chunks(200) {
        sqlx::raw_sql(AssertSqlSafe(some.join(";\n"))).execute(&mut *owner).await?;
    }
    enter(owner, None).await
}

impl Numbered {
    /// The statements that make what a tenant counts with. `last` is the last number that is taken, if any is.
    pub(super) fn begin(&self, tenant: i64, last: Option<i64>) -> String {
        let Self { number, start, step, options, .. } = self;
        if self.is_gapless() {
            let last = last.unwrap_or_else(|| start.saturating_sub(*step));
            return format!(
                "SELECT pg_catalog.set_config('tenantry.tenant', '{tenant}', true); \
                 INSERT INTO tenantry.counters (number, _tenant, last, step) VALUES ({number}, {tenant}, {last}, {step})"
            );
        }
        let sequence = self.sequence_of(tenant);
        let raised = last.map(|last| format!("; SELECT pg_catalog.setval('{sequence}', {last})")).unwrap_or_default();
        format!("CREATE SEQUENCE {sequence} {options}{raised}")
    }

    /// The statements that drop it again.
    fn forget(&self, tenant: i64) -> String {
        if !self.is_gapless() {
            return format!("DROP SEQUENCE IF EXISTS {}", self.sequence_of(tenant));
        }
        format!(
            "SELECT pg_catalog.set_config('tenantry.tenant', '{tenant}', true); \
             DELETE FROM tenantry.counters WHERE number = {} AND _tenant = {tenant}",
            self.number
        )
    }

    /// Says which number a tenant has got last.
    async fn stand(&self, owner: &mut PgConnection, tenant: i64, last: Option<i64>) -> Result<(), sqlx::Error> {
        if !self.is_gapless() {
            return set(owner, &self.sequence_of(tenant), last).await;
        }
        enter(owner, Some(tenant)).await?;
        let text = "UPDATE tenantry.counters SET last = $3 WHERE number = $1 AND _tenant = $2";
        sqlx::query(text).bind(self.number).bind(tenant).bind(last).execute(owner).await.map(drop)
    }

    /// The last number that a tenant was given, if it was given any.
    pub(super) async fn counted(&self, owner: &mut PgConnection, tenant: i64) -> Result<Option<i64>, sqlx::Error> {
        if !self.is_gapless() {
            return given(owner, &self.sequence_of(tenant)).await;
        }
        enter(owner, Some(tenant)).await?;
        let text = "SELECT last FROM tenantry.counters WHERE number = $1 AND _tenant = $2 AND last <> $3";
        let before_first = self.start.saturating_sub(self.step);
        sqlx::query_scalar(text).bind(self.number).bind(tenant).bind(before_first).fetch_optional(owner).await
    }

    /// The last number among a tenant's rows, of those that the sequence gives.
    pub(super) async fn highest(&self, owner: &mut PgConnection, tenant: i64) -> Result<Option<i64>, sqlx::Error> {
        let (Some(table), Some(column)) = (&self.table, &self.column) else { return Ok(None) };
        enter(owner, Some(tenant)).await?;
        let (last, from, to) =
            if self.step > 0 { ("max", self.start, self.maximum) } else { ("min", self.minimum, self.start) };
        let (schema, table, column) = (Quoted::new(SHARED_SCHEMA), Quoted::new(table), Quoted::new(column));
        let text = format!(
            "SELECT {last}({column})::bigint FROM {schema}.{table} WHERE {TENANT} = $1 AND {column} BETWEEN $2 AND $3"
        );
        let query = sqlx::query_scalar(AssertSqlSafe(text)).persistent(false).bind(tenant).bind(from).bind(to);
        query.fetch_one(owner).await
    }

    /// Lets the shared sequence go on after a number.
    pub(super) async fn raise_shared(&self, owner: &mut PgConnection, last: Option<i64>) -> Result<(), sqlx::Error> {
        let sequence = format!("{}.{}", Quoted::new(SHARED_SCHEMA), Quoted::new(&self.name));
        let given = given(owner, &sequence).await?;
        let last = self.later(given, last);
        if last == given { Ok(()) } else { set(owner, &sequence, last).await }
    }

    /// Which of two numbers comes after the other.
    pub(super) fn later(&self, one: Option<i64>, other: Option<i64>) -> Option<i64> {
        match (one, other) {
            (Some(one), Some(other)) if self.step > 0 => Some(one.max(other)),
            (Some(one), Some(other)) => Some(one.min(other)),
            _ => one.or(other),
        }
    }

    fn sequence_of(&self, tenant: i64) -> String {
        format!("tenantry_ids.t{}_{tenant}", self.number)
    }
}

/// The last number that a sequence has given, if it has given any. Its name is quoted where it needs it.
async fn given(owner: &mut PgConnection, sequence: &str) -> Result<Option<i64>, sqlx::Error> {
    let text = format!("SELECT last_value FROM {sequence} WHERE is_called");
    sqlx::query_scalar(AssertSqlSafe(text)).persistent(false).fetch_optional(owner).await
}

async fn set(owner: &mut PgConnection, sequence: &str, last: Option<i64>) -> Result<(), sqlx::Error> {
    let text = "SELECT pg_catalog.setval($1::regclass, $2)";
    sqlx::query(text).bind(sequence).bind(last).execute(owner).await.map(drop)
}
