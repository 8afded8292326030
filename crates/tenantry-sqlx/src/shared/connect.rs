//! Connections to a shared database.

use std::{sync::Arc, time::Instant};

use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult};
use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions, Sqlite, SqliteConnection, sqlite::SqliteConnectOptions};
use sqlx_core::transaction::TransactionManager;
use tenantry_sql::{Name, Plan, Plans};

use super::{keeper::Keeper, plane::count_rows};
use crate::{
    native::{self, Session},
    room::Claim,
    scoped::{Leased, ScopeError},
};

/// Makes connections, and looks at them before they are used again.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) options: SqliteConnectOptions,
}

/// A connection, and what it knows about whom it works for.
pub(super) struct Connection {
    sqlite: SqliteConnection,
    pub(super) session: Arc<Session>,
    /// Whether a statement may still run.
    busy: bool,
    /// Whether it cannot be known what state it is in.
    spoilt: bool,
}

impl Manager for Connections {
    type Type = Connection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Connection, sqlx::Error> {
        let mut sqlite = self.options.connect().await?;
        let session = Arc::new(Session::default());
        native::install(&mut sqlite, Arc::clone(&session)).await?;
        Ok(Connection { sqlite, session, busy: false, spoilt: false })
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        if connection.spoilt {
            return Err(RecycleError::message("a transaction was begun or ended by a statement"));
        }
        if connection.busy || sqlx::sqlite::SqliteTransactionManager::get_transaction_depth(&connection.sqlite) > 0 {
            // What was sent to the connection before has been done when it is locked.
            connection.sqlite.lock_handle().await?;
            if sqlx::sqlite::SqliteTransactionManager::get_transaction_depth(&connection.sqlite) > 0 {
                return Err(RecycleError::message("a transaction is still open"));
            }
            connection.busy = false;
        }
        Ok(())
    }
}

/// A connection that is checked out.
pub(super) struct Held {
    connection: Object<Connections>,
    keeper: Arc<Keeper>,
    tenant: i64,
    // After the connection, which has to be back in its pool by then.
    spoilt: Spoilt,
}

/// Takes a connection out of its pool at the end of its lease: a transaction on it would hold its locks until somebody
/// leases the connection again.
#[derive(Default)]
struct Spoilt(Option<Pool<Connections>>);

impl Drop for Spoilt {
    fn drop(&mut self) {
        if let Some(pool) = &self.0 {
            drop(pool.retain(|connection, _| !connection.spoilt));
        }
    }
}

impl Held {
    pub(super) fn enter(connection: Object<Connections>, keeper: &Arc<Keeper>, tenant: i64) -> Self {
        let Connection { session, .. } = &*connection;
        session.enter(tenant);
        session.set_triggers(keeper.triggers());
        Self { connection, keeper: Arc::clone(keeper), tenant, spoilt: Spoilt::default() }
    }
}

impl Leased<Sqlite> for Held {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection.sqlite
    }

    fn begin(&mut self, plan: &Plan) {
        self.connection.busy = true;
        self.connection.session.expect(Arc::new(plan.relations.iter().map(Name::as_str).collect()));
    }

    fn end(&mut self) {
        self.connection.busy = false;
    }

    fn stop_at(&mut self, at: Option<Instant>) {
        self.connection.session.stop_at(at);
    }

    fn claim(&mut self, claim: Arc<Claim>) {
        self.connection.session.claim(claim);
    }

    fn count_rows<'a>(&'a mut self, _: &'a Plans) -> BoxFuture<'a, Result<u64, sqlx::Error>> {
        // On another connection: here it would be what a transaction begins with, which can then not write any more when
        // somebody else has written meanwhile.
        Box::pin(async move { Ok(count_rows(&self.keeper, self.tenant).await?.items) })
    }

    fn spoil(&mut self) {
        self.connection.spoilt = true;
        self.spoilt.0 = Object::pool(&self.connection);
    }

    fn translate(&self, error: sqlx::Error) -> sqlx::Error {
        match native::is_moved(&error) {
            true => ScopeError::Moved.into(),
            false => native::translate(error, &self.connection.session),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connection.session.leave();
    }
}
