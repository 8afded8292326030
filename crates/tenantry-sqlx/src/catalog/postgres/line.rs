//! A connection that is made when it is needed, and made again when it is lost.
//!
//! A pool of sqlx would go on trying while the server is away, and keep a connection whose answer nobody waited for.

use sqlx::{ConnectOptions, Connection, PgConnection};
use tenantry_core::CatalogError;
use tokio::sync::{Mutex, MutexGuard};

use super::place::Place;

/// One connection, for one at a time.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Option<PgConnection>>);

impl Line {
    /// The connection, for this caller alone.
    pub(super) async fn take(&self, place: &Place) -> Result<Taken<'_>, CatalogError> {
        let mut slot = self.0.lock().await;
        if let Some(mut connection) = slot.take()
            && connection.ping().await.is_ok()
        {
            return Ok(Taken { slot, connection });
        }
        let connection = place.options().connect().await.map_err(|error| place.failed(error))?;
        Ok(Taken { slot, connection })
    }

    /// Says good-bye to the server.
    pub(super) async fn close(&self) {
        if let Some(connection) = self.0.lock().await.take() {
            // Where that fails, the server is away.
            connection.close().await.ok();
        }
    }
}

/// The connection, taken. Unless it is given back it is cut, and with it ends what was begun: so after an error, and when
/// nobody waits for the outcome any more.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    slot: MutexGuard<'a, Option<PgConnection>>,
    pub(super) connection: PgConnection,
}

impl Taken<'_> {
    /// For the next one.
    pub(super) fn give_back(mut self) {
        *self.slot = Some(self.connection);
    }
}
