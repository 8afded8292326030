//! Stores of jobs: in one SQLite file, or in a PostgreSQL database (feature `postgres`).
//!
//! Both keep the turns of tenants by triggers, so that no statement can forget them: see `sqlite/1.sql`, which says how turns are
//! taken.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

#[cfg(feature = "postgres")]
pub use self::postgres::PgJobs;
pub use self::sqlite::SqliteJobs;

use sqlx::{ColumnIndex, Database, Decode, Row, Type};
use tenantry_core::TenantId;
use tenantry_resource::jobs::{Counts, DeadJob, Envelope, Taken};

/// A row of `jobs` that was taken.
fn taken<R: Read>(row: &R) -> Result<Taken, sqlx::Error> {
    Ok(Taken {
        id: row.text("id")?,
        tenant: TenantId::new(row.number("tenant")?),
        attempt: small(row.number("attempt")?),
        lost: small(row.number("lost")?),
        attempts_max: small(row.number("attempts_max")?),
        priority: row.number("priority")?,
        envelope: envelope(row)?,
    })
}

/// A row of `jobs` that is dead.
fn dead<R: Read>(row: &R) -> Result<DeadJob, sqlx::Error> {
    Ok(DeadJob {
        id: row.text("id")?,
        attempts: small(row.number("attempt")?),
        failure: row.text("failure")?,
        envelope: envelope(row)?,
    })
}

fn envelope<R: Read>(row: &R) -> Result<Envelope, sqlx::Error> {
    Ok(Envelope { payload: row.bytes("payload")?, metadata: row.text("metadata")?, signature: row.bytes("signature")? })
}

/// A row of `turns`.
fn counts<R: Read>(row: &R) -> Result<Counts, sqlx::Error> {
    let count = |column| row.number(column).map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Counts {
        queue: row.text("queue")?,
        waiting: count("ready")? + count("later")?,
        running: count("running")?,
        dead: count("dead")?,
    })
}

/// The rows of both databases, which have the same columns.
trait Read {
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error>;
    fn number(&self, column: &'static str) -> Result<i64, sqlx::Error>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, sqlx::Error>;
}

impl<R> Read for R
where
    R: Row,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    &'static str: ColumnIndex<R>,
    R::Database: Database,
{
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error> {
        self.try_get(column)
    }

    fn number(&self, column: &'static str) -> Result<i64, sqlx::Error> {
        self.try_get(column)
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, sqlx::Error> {
        self.try_get(column)
    }
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// How many jobs whose time has come, or whose worker is gone, become ready in one step, so that no step is long.
const STEP_MAX: i64 = 1000;

/// What a job is told of that was lost in its last attempt.
const LOST: &str = "the worker ended without a word, in the last attempt";
