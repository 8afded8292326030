//! An operation as a row of a table, the same for every database.

use std::time::Duration;

use sqlx::FromRow;
use tenantry_core::{Direction, Operation, OperationId, Outcome, Progress, Slug, TenantId, Worker};

use super::record::from_millis;

/// An operation as it is stored. Times are milliseconds of UTC; `amounts` is a JSON object of pairs, items and bytes.
#[derive(Debug, FromRow)]
pub(super) struct OperationRow {
    id: i64,
    tenant: i64,
    slug: String,
    verb: String,
    input: String,
    steps: i64,
    direction: String,
    amounts: String,
    problem: Option<String>,
    outcome: Option<String>,
    worker: String,
    leased_until: i64,
    began_at: i64,
    ended_at: Option<i64>,
}

impl OperationRow {
    /// The operation that this row is, or what is wrong with the row.
    pub(super) fn into_operation(self) -> Result<Operation, String> {
        let id = self.id;
        let wrong = |column: &str| format!("operation {id} has a wrong {column}");
        let time = |millis: i64| from_millis(millis).ok_or_else(|| wrong("time"));
        Ok(Operation {
            id: OperationId::new(id),
            tenant: TenantId::new(self.tenant),
            slug: self.slug.parse::<Slug>().map_err(|_| wrong("name"))?,
            verb: self.verb,
            input: self.input,
            progress: Progress {
                steps: u32::try_from(self.steps).map_err(|_| wrong("number of steps"))?,
                direction: self.direction.parse::<Direction>().map_err(|_| wrong("direction"))?,
                amounts: Progress::amounts_from_json(&self.amounts).ok_or_else(|| wrong("list of amounts"))?,
                problem: self.problem,
            },
            outcome: self.outcome.as_deref().map(str::parse::<Outcome>).transpose().map_err(|_| wrong("outcome"))?,
            worker: self.worker,
            leased_until: time(self.leased_until)?,
            began_at: time(self.began_at)?,
            ended_at: self.ended_at.map(time).transpose()?,
        })
    }
}

/// How long a lease is, in milliseconds.
pub(super) fn lease_millis(worker: &Worker) -> i64 {
    i64::try_from(worker.lease.min(LEASE_MAX).as_millis()).unwrap_or(i64::MAX)
}

const LEASE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
