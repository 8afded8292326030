//! A copy is compared with its source, and becomes the same again.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::moving::{MoveError, Task};
use crate::shared::adopt::{Place, Rows, Sum};

/// Two places that are to have the same rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides {
    pub(super) from: Place,
    pub(super) to: Place,
    /// Whose rows those in shared tables are.
    pub(super) tenant: i64,
}

impl Sides {
    /// Does what is to be done with a table. Says how many rows were not the same.
    pub(super) async fn work(
        self,
        task: Task,
        rows: &Rows,
        connection: &mut SqliteConnection,
    ) -> Result<u64, MoveError> {
        let mut changed = 0;
        if task != Task::Prove {
            for text in [rows.delete_stale(self.from, self.to), rows.insert_missing(self.from, self.to)] {
                let change = sqlx::query(AssertSqlSafe(text)).bind(self.tenant);
                changed += change.execute(&mut *connection).await?.rows_affected();
            }
        }
        if task != Task::CatchUp {
            let source = Sum::of(rows, self.from, self.tenant, connection).await?;
            let copy = Sum::of(rows, self.to, self.tenant, connection).await?;
            if source != copy {
                let (table, source_rows, copied) = (rows.table.clone(), source.rows, copy.rows);
                return Err(MoveError::Mismatch { table, source_rows, copied });
            }
        }
        Ok(changed)
    }
}
