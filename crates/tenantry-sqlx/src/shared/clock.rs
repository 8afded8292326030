//! The time at which a statement on a database of a tenant's own is stopped.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use sqlx::SqliteConnection;

/// How many steps of its machine SQLite takes before it asks again: some tens of microseconds.
const STEPS: i32 = 4096;

/// When the running statement is to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<Mutex<Option<Instant>>>);

impl Clock {
    /// That of a connection from now on.
    pub(super) async fn of(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let clock = Self::default();
        let asked = clock.clone();
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !asked.is_up());
        Ok(clock)
    }

    /// Says when.
    pub(super) fn set(&self, at: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn is_up(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at <= Instant::now())
    }
}
