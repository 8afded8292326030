//! How far ids have been given out. A shared sequence gives ids to all tenants: it is raised, and never lowered.

use std::{collections::HashMap, time::Duration};

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, SHARED_SCHEMA};

use super::{copy::stage, source::Adopted};

/// A sequence of an instance.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::postgres) struct Counted {
    pub(in crate::postgres) name: String,
    /// Whether the role may see how far it is.
    pub(in crate::postgres) is_readable: bool,
    /// The last number that was given out; nothing before the first.
    pub(in crate::postgres) last: Option<i64>,
}

/// How far the application's own sequences have counted.
pub(in crate::postgres) async fn counted(source: &mut PgConnection) -> Result<Vec<Counted>, sqlx::Error> {
    let text = "SELECT c.relname::text AS name, has_sequence_privilege(c.oid, 'SELECT, USAGE') AS is_readable, \
                       s.last_value AS last \
                FROM pg_sequences s JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = 'public'::regnamespace \
                WHERE s.schemaname = 'public' ORDER BY c.relname";
    sqlx::query_as(text).fetch_all(source).await
}

/// How far a source has counted that has no sequences: as far as its own counters say, or else the highest ids.
pub(in crate::postgres) async fn of_columns(
    tables: &[Adopted],
    counters: &HashMap<String, i64>,
    owner: &mut PgConnection,
) -> Result<Vec<Counted>, sqlx::Error> {
    let text = "SELECT c.relname::text, t.relname::text, a.attname::text FROM pg_class c \
                JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') \
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 \
                JOIN pg_class t ON t.oid = d.refobjid \
                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
                WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname";
    let owned: Vec<(String, String, String)> = sqlx::query_as(text).fetch_all(&mut *owner).await?;
    let mut counted = Vec::new();
    for (name, table, column) in owned {
        let Some(at) = tables.iter().position(|adopted| adopted.rows.table == table) else { continue };
        let text = AssertSqlSafe(format!("SELECT max({})::bigint FROM {}", Quoted::new(&column), stage(at)));
        let highest: Option<i64> = sqlx::query_scalar(text).persistent(false).fetch_one(&mut *owner).await?;
        let counter = counters.iter().find(|(counted, _)| counted.eq_ignore_ascii_case(&table));
        counted.push(Counted { name, is_readable: true, last: highest.max(counter.map(|(_, seq)| *seq)) });
    }
    Ok(counted)
}

/// Raises the shared sequences so that none gives out an id again that the instance gave out.
pub(in crate::postgres) async fn raise(
    counted: impl Iterator<Item = &Counted>,
    owner: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    // Always in the same order, so that two adoptions do not wait for each other.
    for Counted { name, last, .. } in counted {
        let Some(last) = *last else { continue };
        let shared = format!("{}.{}", Quoted::new(SHARED_SCHEMA), Quoted::new(name));
        if !is_behind(name, &shared, last, owner).await? {
            continue;
        }
        lock(&shared, name, owner).await?;
        if is_behind(name, &shared, last, owner).await? {
            let text = "SELECT setval(to_regclass($1), $2)";
            sqlx::query(text).bind(&shared).bind(last).execute(&mut *owner).await?;
        }
    }
    Ok(())
}

/// Whether a shared sequence would give out numbers that the instance has given out. False where there is none.
async fn is_behind(name: &str, shared: &str, last: i64, owner: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let text = "SELECT seqincrement FROM pg_sequence WHERE seqrelid = to_regclass($1)";
    let increment: Option<i64> = sqlx::query_scalar(text).bind(shared).fetch_optional(&mut *owner).await?;
    let Some(increment) = increment else {
        tracing::warn!(name, "the shared database has no such sequence, so that it is not raised");
        return Ok(false);
    };
    let at = AssertSqlSafe(format!("SELECT last_value, is_called FROM {shared}"));
    let (at, is_called): (i64, bool) = sqlx::query_as(at).persistent(false).fetch_one(owner).await?;
    let next = if is_called { at.saturating_add(increment) } else { at };
    Ok(if increment > 0 { next <= last } else { next >= last })
}

/// Keeps others from taking numbers until the transaction ends, so that none is taken between the look and the raise. Who
/// waits long for a lock keeps those waiting who come after: so it is tried for a moment, and again.
async fn lock(shared: &str, name: &str, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = "SELECT seqcache FROM pg_sequence WHERE seqrelid = to_regclass($1)";
    let cache: i64 = sqlx::query_scalar(text).bind(shared).fetch_one(&mut *owner).await?;
    // A sequence cannot be locked by LOCK; what it is changed to is what it is.
    let change = format!("SAVEPOINT raise; SET LOCAL lock_timeout = '500ms'; ALTER SEQUENCE {shared} CACHE {cache}");
    let mut left = TRIES;
    loop {
        let locked = sqlx::raw_sql(AssertSqlSafe(change.as_str())).execute(&mut *owner).await;
        match locked {
            Ok(_) => return sqlx::raw_sql("SET LOCAL lock_timeout = 0; RELEASE raise").execute(owner).await.map(drop),
            // 55P03: lock_not_available.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55P03") && left > 0 => {
                sqlx::raw_sql("ROLLBACK TO raise; RELEASE raise").execute(&mut *owner).await?;
                tracing::info!(name, "a transaction that has taken an id is awaited");
                tokio::time::sleep(Duration::from_secs(1)).await;
                left -= 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// How often a lock is tried.
const TRIES: u32 = 60;
