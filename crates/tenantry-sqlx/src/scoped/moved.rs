//! Running a statement once more: while rows are on their way to another place, and when the schema has changed (`stale`).
//!
//! Between the moment when a tenant's rows are fenced and the one when this process hears where they are now, every change of
//! them is refused ([`ScopeError::Moved`]). A statement that runs by itself is then run once more, on a new lease, until it
//! gets through or the time is up. What runs within a transaction cannot be: what it has read before may be different by
//! then, so the application is told, and may begin it again.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::{Scopable, ScopeError, execute::Request};

/// How long a statement waits, and how many connections it may find that know another schema.
pub(super) struct Patience {
    ends: Instant,
    stale_left: u32,
}

impl Patience {
    pub(super) fn new(max: Duration) -> Self {
        let now = Instant::now();
        Self { ends: now.checked_add(max).unwrap_or(now), stale_left: STALE_MAX }
    }

    /// Waits a while, if the error is one that passes.
    pub(super) async fn wait(&self, error: sqlx::Error) -> Result<(), sqlx::Error> {
        if matches!(ScopeError::of(&error), Some(ScopeError::Moved)) && Instant::now() < self.ends {
            tokio::time::sleep(PAUSE).await;
            return Ok(());
        }
        Err(error)
    }

    /// What is to be run once more, after a while if need be; or the error.
    pub(super) async fn once_more<DB: Scopable>(
        &mut self,
        error: sqlx::Error,
        spare: Option<Request<DB>>,
    ) -> Result<Request<DB>, sqlx::Error> {
        let Some(spare) = spare else { return Err(error) };
        if self.stale_left > 0 && DB::is_stale(&error) {
            self.stale_left -= 1;
        } else {
            self.wait(error).await?;
        }
        Ok(spare)
    }
}

impl<DB: Scopable> Request<DB> {
    /// The same once more, for a statement that may change something, or that runs as it is written. Any other one that reads
    /// is never refused, and costs no copy.
    pub(super) fn spare(&self, is_as_written: bool) -> Option<Self> {
        let text = self.text.as_str();
        (!reads(text) || is_as_written && DB::REFUSES_STALE).then(|| Self {
            text: AssertSqlSafe(text.to_owned()).into_sql_str(),
            arguments: self.arguments.clone(),
            persistent: self.persistent,
        })
    }
}

/// Whether a statement cannot change anything, as far as its first word says.
pub(super) fn reads(text: &str) -> bool {
    text.trim_start().get(..READS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(READS))
}

/// What a statement begins with that cannot change anything, unless a function does.
const READS: &str = "select";

/// Short against the second within which a process hears of a change, and long enough not to be a load.
const PAUSE: Duration = Duration::from_millis(20);

/// More connections to one database than there will be.
const STALE_MAX: u32 = 1000;

#[cfg(test)]
mod tests {
    use sqlx::Sqlite;

    use super::*;

    #[test]
    fn what_reads_is_not_copied() {
        let spare = |text: &'static str| Request::<Sqlite>::new(sqlx::query(text)).unwrap().spare(true).is_some();
        assert!(!spare("SELECT 1") && !spare("  select 1"));
        assert!(
            spare("INSERT INTO t VALUES (1)")
                && spare("sel")
                && spare("WITH a AS (SELECT 1) DELETE FROM t")
                && spare("é")
        );
    }
}
