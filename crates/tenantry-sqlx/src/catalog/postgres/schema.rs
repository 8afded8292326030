//! The tables, and the steps that lead to them.

use sqlx::{Connection, PgConnection};
use tenantry_core::CatalogError;

use super::{
    failure::{Failure, is_race},
    place::Place,
};
use crate::catalog::open::Fill;

/// Makes the tables what this version needs. A database without them is filled only where `fill` says so.
pub(super) async fn prepare(connection: &mut PgConnection, place: &Place, fill: Fill) -> Result<(), CatalogError> {
    if Layout::read(connection, place).await?.is_current(place, fill)? {
        return Ok(());
    }
    match step(connection, place, fill).await? {
        Ok(()) => Ok(()),
        // Something else of ours has made the schema meanwhile, under a lock of its own.
        Err(error) if is_race(&error) => step(connection, place, fill).await?.map_err(|error| place.failed(error)),
        Err(error) => Err(place.failed(error)),
    }
}

/// Takes the steps that are left, all of them or none. The inner error is the server's.
async fn step(
    connection: &mut PgConnection,
    place: &Place,
    fill: Fill,
) -> Result<Result<(), sqlx::Error>, CatalogError> {
    let failed = |error| place.failed(error);
    let mut transaction = connection.begin().await.map_err(failed)?;
    let wait = sqlx::query("SELECT set_config('lock_timeout', $1, true), pg_advisory_xact_lock($2)");
    let wait = wait.bind(lock_timeout(place)).bind(LOCK);
    wait.execute(&mut *transaction).await.map_err(failed)?;
    let layout = Layout::read(&mut transaction, place).await?;
    if !layout.is_current(place, fill)? {
        for sql in STEPS.iter().skip(usize::try_from(layout.0).unwrap_or(0)) {
            if let Err(error) = sqlx::raw_sql(*sql).execute(&mut *transaction).await {
                transaction.rollback().await.map_err(failed)?;
                return Ok(Err(error));
            }
        }
    }
    Ok(transaction.commit().await)
}

/// How long a lock is waited for, as PostgreSQL takes it.
pub(super) fn lock_timeout(place: &Place) -> String {
    // Zero would mean for ever.
    format!("{}ms", place.timeout.as_millis().clamp(1, i32::MAX.unsigned_abs().into()))
}

/// The number of the last step that was taken; none is 0.
struct Layout(i64);

impl Layout {
    async fn read(connection: &mut PgConnection, place: &Place) -> Result<Self, CatalogError> {
        let failed = |error| place.failed(error);
        let is_there: bool = sqlx::query_scalar("SELECT to_regclass('tenantry.catalog') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        if !is_there {
            return Ok(Self(0));
        }
        let layout = sqlx::query_scalar("SELECT layout FROM tenantry.catalog").fetch_optional(connection).await;
        layout.map_err(failed)?.map(Self).ok_or_else(|| place.corrupt("the table tenantry.catalog has no row"))
    }

    fn is_current(&self, place: &Place, fill: Fill) -> Result<bool, CatalogError> {
        match self.0 {
            LAYOUT => Ok(true),
            0 if fill == Fill::No => Err(place.unavailable(Failure::Empty)),
            older if (0..LAYOUT).contains(&older) => Ok(false),
            found => Err(place.unavailable(Failure::Newer { found, known: LAYOUT })),
        }
    }
}

/// The layout that the last step leads to.
const LAYOUT: i64 = 6;

/// Step `n` leads from layout `n` to layout `n + 1`, which it writes. A step that has been released never changes.
const STEPS: [&str; 6] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

/// Whoever makes or changes the catalog's tables holds this advisory lock: "TntyCata" in ASCII.
const LOCK: i64 = 0x546e_7479_4361_7461;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_lead_to_the_layout() {
        assert_eq!(STEPS.len(), usize::try_from(LAYOUT).unwrap());
    }
}
