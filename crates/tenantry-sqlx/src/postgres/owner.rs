//! The connection of the role that owns the schema: it migrates, and makes what a new tenant begins with.
//!
//! Who works with it takes it out of its place and puts it back when all went well. Work that fails or is dropped half-way
//! leaves the place empty: the connection is closed, by which the server undoes what was begun.

use std::ops::{Deref, DerefMut};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{Mutex, MutexGuard};

/// The place of the connection.
pub(super) struct Owner {
    options: PgConnectOptions,
    place: Mutex<Option<PgConnection>>,
}

/// The connection, taken out of its place. Nobody else in this process can take it meanwhile.
pub(crate) struct Taken<'a> {
    connection: PgConnection,
    place: MutexGuard<'a, Option<PgConnection>>,
}

impl Owner {
    /// Nothing is opened yet.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, place: Mutex::default() }
    }

    /// Takes the connection, or opens another one.
    pub(super) async fn take(&self) -> Result<Taken<'_>, sqlx::Error> {
        let mut place = self.place.lock().await;
        if let Some(mut connection) = place.take()
            && connection.ping().await.is_ok()
        {
            return Ok(Taken { connection, place });
        }
        Ok(Taken { connection: self.options.connect().await?, place })
    }
}

impl Taken<'_> {
    /// Puts it back, for the next one.
    pub(super) fn put_back(self) {
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
