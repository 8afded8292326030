//! The mark on rows that are moved: triggers that refuse every change of them.
//!
//! Triggers are made and dropped under locks that other tenants' statements on shared tables wait for. Such a lock is waited
//! for only a moment, since whoever comes next waits behind; and tried again.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, TENANT};

use crate::{
    MoveError,
    postgres::{
        adopt::Rows,
        plane::At,
        schema::gone::{FUNCTION, MARK},
    },
};

/// Lets nobody change the rows of a place any more. Whoever is changing some is waited for. All of it is done at once, or
/// nothing.
pub(super) async fn set(
    at: At,
    tables: impl Iterator<Item = &Rows>,
    connection: &mut PgConnection,
) -> Result<(), MoveError> {
    let (names, marks) = match at {
        At::Shared(tenant) => {
            let tables = tables.filter(|rows| !rows.is_global).map(Rows::shared);
            let names: Vec<_> = tables.collect();
            let marks: Vec<_> = names.iter().map(|table| of_tenant(table, tenant.get())).collect();
            (names, marks)
        }
        At::Own(_) => {
            let names = own_tables(connection).await?;
            let marks: Vec<_> = names.iter().map(|table| of_all(table)).collect();
            sqlx::raw_sql("CREATE SCHEMA IF NOT EXISTS tenantry").execute(&mut *connection).await?;
            sqlx::raw_sql(FUNCTION).execute(&mut *connection).await?;
            (names, marks)
        }
    };
    if names.is_empty() {
        return Ok(());
    }
    // Not stronger than what makes a trigger takes: who reads does not wait.
    let lock = format!("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE", names.join(", ONLY "));
    in_turn(&names, &lock, &marks.join("; "), connection).await
}

/// Lets the rows of a place be changed again, if they are marked.
pub(super) async fn take_off(at: At, connection: &mut PgConnection) -> Result<(), MoveError> {
    let which = match at {
        At::Shared(tenant) => format!("{MARK}_{tenant}"),
        At::Own(_) => MARK.to_owned(),
    };
    let text = "SELECT g.tgrelid::regclass::text, array_agg(g.tgname::text ORDER BY g.tgname) FROM pg_trigger g \
                WHERE g.tgfoid = to_regprocedure('tenantry.gone()') AND g.tgname IN ($1, $1 || '_d') GROUP BY 1 ORDER BY 1";
    let marked: Vec<(String, Vec<String>)> = sqlx::query_as(text).bind(which).fetch_all(&mut *connection).await?;
    for (table, marks) in marked {
        let drops: Vec<_> = marks.iter().map(|mark| format!("DROP TRIGGER {} ON {table}", Quoted::new(mark))).collect();
        in_turn(&[table], &drops.join("; "), "SELECT", connection).await?;
    }
    if let At::Own(_) = at {
        sqlx::raw_sql("DROP FUNCTION IF EXISTS tenantry.gone(); DROP SCHEMA IF EXISTS tenantry")
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Takes locks of tables, and does something when all have been got.
async fn in_turn(tables: &[String], lock: &str, then: &str, connection: &mut PgConnection) -> Result<(), MoveError> {
    let then = format!("{then}; COMMIT");
    let mut wait_ms = WAIT_MS;
    for left in (0..TRIES).rev() {
        let begin = format!("BEGIN; SET LOCAL statement_timeout = {wait_ms}");
        sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut *connection).await?;
        match sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *connection).await {
            Ok(_) => {
                sqlx::raw_sql("SET LOCAL statement_timeout = 0").execute(&mut *connection).await?;
                sqlx::raw_sql(AssertSqlSafe(then.as_str())).execute(connection).await?;
                return Ok(());
            }
            // 57014: query_canceled, 40P01: deadlock_detected.
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("57014" | "40P01")) => {
                sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
            }
            Err(error) => return Err(error.into()),
        }
        if left > 0 {
            tracing::info!("a transaction that changes rows is awaited");
            tokio::time::sleep(PAUSE).await;
            wait_ms = if are_vacuumed(tables, connection).await? { WAIT_FOR_VACUUM_MS } else { WAIT_MS };
        }
    }
    Err(MoveError::Busy { tries: TRIES })
}

/// Whether one of the tables is being vacuumed. The server's own vacuum makes way for who has waited for it a second.
async fn are_vacuumed(tables: &[String], connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let text = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND granted \
                AND mode = 'ShareUpdateExclusiveLock' AND relation = ANY ($1::text[]::regclass[]::oid[]) \
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
    sqlx::query_scalar(text).bind(tables).fetch_one(connection).await
}

/// What marks the rows of a tenant in a shared table.
fn of_tenant(table: &str, tenant: i64) -> String {
    let mark = |name: &str, event: &str, row: &str| {
        format!(
            "CREATE OR REPLACE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN ({row}.{TENANT} = {tenant}) \
             EXECUTE FUNCTION tenantry.gone('{tenant}')"
        )
    };
    let name = format!("{MARK}_{tenant}");
    // No row becomes another tenant's: row-level security sees to that.
    format!("{}; {}", mark(&name, "INSERT OR UPDATE", "NEW"), mark(&format!("{name}_d"), "DELETE", "OLD"))
}

/// What marks all rows of a table.
fn of_all(table: &str) -> String {
    format!(
        "CREATE OR REPLACE TRIGGER {MARK} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT \
         EXECUTE FUNCTION tenantry.gone()"
    )
}

/// The tables in a database of a tenant's own that may have rows of the application.
async fn own_tables(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let text = "SELECT c.oid::regclass::text FROM pg_class c \
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> '_sqlx_migrations' \
                    AND NOT EXISTS (SELECT FROM pg_depend d \
                                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
                ORDER BY 1";
    sqlx::query_scalar(text).fetch_all(connection).await
}

/// How long a lock is waited for, and with it at most who comes next.
const WAIT_MS: u32 = 200;

/// The same where a vacuum is in the way, until the server ends it: a second by default, and some more.
const WAIT_FOR_VACUUM_MS: u32 = 1_500;

/// How long others have their turn in between.
const PAUSE: Duration = Duration::from_millis(250);

/// How often it is tried.
const TRIES: u32 = 80;
