//! A connection to PostgreSQL that is made when it is needed, and made again when it is lost.
//!
//! A pool of sqlx would go on trying while the server is away, and keep a connection whose answer nobody waited for.

use std::ops::{Deref, DerefMut};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{Mutex, MutexGuard};

/// One connection, for one at a time.
pub(crate) struct Line {
    options: PgConnectOptions,
    place: Mutex<Option<PgConnection>>,
}

/// The connection, taken. Unless it is given back it is cut, and with it ends what was begun: so after an error, and when
/// nobody waits for the outcome any more.
pub(crate) struct Taken<'a> {
    // Cut before the next one is let in.
    connection: PgConnection,
    place: MutexGuard<'a, Option<PgConnection>>,
}

impl Line {
    /// Nothing is opened yet.
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self { options, place: Mutex::default() }
    }

    /// The connection, for this caller alone.
    pub(crate) async fn take(&self) -> Result<Taken<'_>, sqlx::Error> {
        let mut place = self.place.lock().await;
        if let Some(mut connection) = place.take()
            && connection.ping().await.is_ok()
        {
            return Ok(Taken { connection, place });
        }
        Ok(Taken { connection: self.options.connect().await?, place })
    }

    /// Says good-bye to the server.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.place.lock().await.take() {
            // Where that fails, the server is away.
            connection.close().await.ok();
        }
    }
}

impl Taken<'_> {
    /// For the next one.
    pub(crate) fn give_back(self) {
        let Self { connection, mut place } = self;
        *place = Some(connection);
    }
}

impl Deref for Taken<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
