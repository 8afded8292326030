//! The tables, and the steps that lead to them.
//!
//! SQLite keeps two numbers in the head of a file: the application it belongs to, and a version that the application
//! counts. They are written in the same transaction as the tables, so no table of migrations is needed.

use sqlx::{Connection, Row, SqliteConnection, SqlitePool};
use tenantry_core::CatalogError;

use super::failure::{Failure, Place};
use crate::catalog::open::Fill;

/// Makes the tables what this version needs. An empty file is filled only where `fill` says so.
pub(super) async fn prepare(pool: &SqlitePool, place: &Place, fill: Fill) -> Result<(), CatalogError> {
    let failed = |error| place.failed(error);
    let mut connection = pool.acquire().await.map_err(failed)?;
    let head = Head::read(&mut connection).await.map_err(failed)?;
    if head.is_current(place, fill)? {
        return Ok(());
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let head = Head::read(&mut transaction).await.map_err(failed)?;
    if !head.is_current(place, fill)? {
        for step in STEPS.iter().skip(usize::try_from(head.version).unwrap_or(0)) {
            sqlx::raw_sql(*step).execute(&mut *transaction).await.map_err(failed)?;
        }
    }
    transaction.commit().await.map_err(failed)
}

/// What the head of the file says.
struct Head {
    application: i64,
    version: i64,
    tables: i64,
}

impl Head {
    async fn read(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let head = sqlx::query(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
             FROM pragma_application_id, pragma_user_version",
        );
        let row = head.fetch_one(connection).await?;
        Ok(Self { application: row.try_get(0)?, version: row.try_get(1)?, tables: row.try_get(2)? })
    }

    fn is_current(&self, place: &Place, fill: Fill) -> Result<bool, CatalogError> {
        match (self.application, self.version) {
            (APPLICATION, VERSION) => Ok(true),
            (APPLICATION, found) if (1..VERSION).contains(&found) => Ok(false),
            (APPLICATION, found) if found > VERSION => Err(place.unavailable(Failure::Newer { found, known: VERSION })),
            (0, 0) if self.tables == 0 && fill == Fill::Yes => Ok(false),
            (0, 0) if self.tables == 0 => Err(place.unavailable(Failure::Empty)),
            _ => Err(place.unavailable(Failure::Foreign)),
        }
    }
}

/// "Tnty" in ASCII, for the head of the file.
const APPLICATION: i64 = 0x546e_7479;

/// The version that the last step leads to.
const VERSION: i64 = 6;

/// Step `n` leads from version `n` to version `n + 1`, which it writes. A step that has been released never changes.
const STEPS: [&str; 6] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_lead_to_the_version() {
        assert_eq!(STEPS.len(), usize::try_from(VERSION).unwrap());
        for (step, sql) in (1..).zip(STEPS) {
            assert!(sql.contains(&format!("PRAGMA user_version = {step};")), "step {step}");
        }
        assert!(STEPS[0].contains(&format!("PRAGMA application_id = {APPLICATION};")));
    }
}
