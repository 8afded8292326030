//! Stores of what tenants have used: in one SQLite file, or in a PostgreSQL database (feature `postgres`).

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

#[cfg(feature = "postgres")]
pub use self::postgres::PgUsage;
pub use self::sqlite::SqliteUsage;

use sqlx::{ColumnIndex, Database, Decode, Encode, QueryBuilder, Row, Type};
use tenantry_core::{Amounts, Count, Hour, Step, TenantId, Used};

/// How many rows are written by one statement. Databases bound the number of its parameters.
const AT_ONCE: usize = 500;

/// What a statement is that adds to these rows of `table`.
fn add<'q, DB: Database>(table: &str, used: &[Used]) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    i64: Encode<'q, DB> + Type<DB>,
{
    let mut query = QueryBuilder::new(format!(
        "INSERT INTO {table} AS u (tenant, hour, {}) ",
        Count::ALL.map(Count::as_str).join(", ")
    ));
    query.push_values(used, |mut row, Used { tenant, hour, amounts }| {
        row.push_bind(tenant.get()).push_bind(hour.get());
        for count in Count::ALL {
            row.push_bind(i64::try_from(amounts.get(count)).unwrap_or(i64::MAX));
        }
    });
    let sums = Count::ALL.map(|count| format!("{count} = u.{count} + excluded.{count}", count = count.as_str()));
    query.push(format!(" ON CONFLICT (tenant, hour) DO UPDATE SET {}", sums.join(", ")));
    query
}

/// What reads from `table`: the tenant is the first of the parameters, or NULL for all; then the hour to begin with, and
/// the step. `larger` is what the dialect calls the larger one of two numbers, and `cast` what makes a number of a sum.
fn read(table: &str, [tenant, since, step]: [&str; 3], larger: &str, cast: &str) -> String {
    let sums = Count::ALL.map(|count| format!("sum({0}){cast} AS {0}", count.as_str()));
    format!(
        "SELECT tenant, {larger}({since}, hour - hour % {step}) AS begins, {} FROM {table} \
         WHERE ({tenant} IS NULL OR tenant = {tenant}) AND hour >= {since} GROUP BY 1, 2 ORDER BY 1, 2",
        sums.join(", ")
    )
}

/// How many hours a step has. All of it at once is one that nobody sees the end of.
const fn hours(step: Step) -> i64 {
    match step {
        Step::Hour => 1,
        Step::Day => 24,
        Step::Whole => i64::MAX,
    }
}

fn used<R: Row>(row: &R) -> Result<Used, sqlx::Error>
where
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'i> &'i str: ColumnIndex<R>,
{
    let mut amounts = Amounts::default();
    for count in Count::ALL {
        amounts.set(count, row.try_get::<i64, _>(count.as_str())?.unsigned_abs());
    }
    let (tenant, hour): (i64, i64) = (row.try_get("tenant")?, row.try_get("begins")?);
    Ok(Used { tenant: TenantId::new(tenant), hour: Hour::new(hour), amounts })
}

/// How long a process is remembered that has written nothing, in hours: it may still give its last batch again.
const REMEMBERED: i64 = 24 * 7;
