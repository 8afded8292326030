//! The connection that owns the schema: it reads and changes it and makes tenants, one at a time.
//!
//! Who works with it takes it out of its place and puts it back when all went well. Work that fails or is dropped half-way
//! leaves the place empty: the connection is closed, by which SQLite undoes what was begun, and the next one opens
//! another. So nobody meets an open transaction, or checks and triggers that were switched off.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex, MutexGuard};

use crate::native::{self, Session};

/// How long to wait before a file that is locked is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// The place of the connection.
pub(super) struct Owner {
    options: SqliteConnectOptions,
    busy_timeout: Duration,
    place: Mutex<Option<Owned>>,
}

/// The connection, taken out of its place. Nobody else can take it meanwhile.
pub(super) struct Taken<'a> {
    // Closed before the next one is let in.
    owned: Owned,
    place: MutexGuard<'a, Option<Owned>>,
}

struct Owned {
    sqlite: SqliteConnection,
    session: Arc<Session>,
}

impl Owner {
    /// Nothing is opened yet.
    pub(super) fn new(options: SqliteConnectOptions, busy_timeout: Duration) -> Self {
        Self { options, busy_timeout, place: Mutex::default() }
    }

    /// Takes the connection, or opens another one.
    pub(super) async fn take(&self) -> Result<Taken<'_>, sqlx::Error> {
        let mut place = self.place.lock().await;
        let owned = match place.take() {
            Some(owned) => owned,
            None => self.open().await?,
        };
        Ok(Taken { owned, place })
    }

    async fn open(&self) -> Result<Owned, sqlx::Error> {
        let mut sqlite = self.connect().await?;
        let session = Arc::new(Session::default());
        native::install(&mut sqlite, Arc::clone(&session)).await?;
        session.own();
        Ok(Owned { sqlite, session })
    }

    /// Waits for a lock as statements do. SQLite does not where a new file gets its write-ahead log, which two processes
    /// that start at once both want to give it.
    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let begun = Instant::now();
        loop {
            match self.options.connect().await {
                Err(error) if native::is_busy(&error) && begun.elapsed() < self.busy_timeout => {
                    tokio::time::sleep(RETRY).await;
                }
                connected => return connected,
            }
        }
    }
}

impl Taken<'_> {
    /// Whom the connection works for.
    pub(super) fn session(&self) -> Arc<Session> {
        Arc::clone(&self.owned.session)
    }

    /// Puts the connection back. Only without a transaction, and with everything switched on that is usually on.
    pub(super) fn put_back(self) {
        let Self { mut place, owned } = self;
        *place = Some(owned);
    }
}

impl Deref for Taken<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &Self::Target {
        &self.owned.sqlite
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.owned.sqlite
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}
