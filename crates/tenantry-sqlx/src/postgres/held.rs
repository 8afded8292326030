//! A connection that is checked out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Postgres, SqlSafeStr, SqlStr, postgres::PgTransactionManager,
};
use sqlx_core::transaction::TransactionManager;
use tenantry_core::TenantId;
use tenantry_sql::Plan;
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use super::{
    budget::{Slot, Target},
    connection::{Connection, Losses},
    failure,
};
use crate::scoped::Leased;

/// How long a connection may take to end what was begun on it, before it is closed.
const END: Duration = Duration::from_secs(5);

/// A connection as the budget keeps it. Only one at a time has it, so that its lock is never waited for.
pub(super) type Kept = Arc<Mutex<Connection>>;

/// A connection of the budget, leased for one scope.
pub(super) struct Held {
    connection: OwnedMutexGuard<Connection>,
    /// The same, for the budget.
    kept: Kept,
    slot: Slot<Kept>,
    target: Target,
    /// The tenant that row-level security is told of; nothing on a database of the tenant's own.
    tenant: Option<i64>,
    losses: Losses,
    /// Whether a statement may still run.
    busy: bool,
    /// Whether it cannot be known what state it is in.
    spoilt: AtomicBool,
    /// Whether what an open transaction did is kept.
    keep: bool,
}

impl Held {
    pub(super) async fn new(slot: Slot<Kept>, kept: Kept, target: Target, tenant: TenantId, losses: Losses) -> Self {
        let tenant = match target {
            Target::Shared => Some(tenant.get()),
            Target::Dedicated(_) => None,
        };
        let connection = Arc::clone(&kept).lock_owned().await;
        let spoilt = AtomicBool::new(false);
        Self { connection, kept, slot, target, tenant, losses, busy: false, spoilt, keep: false }
    }

    fn depth(&self) -> usize {
        PgTransactionManager::get_transaction_depth(&self.connection.postgres)
    }
}

impl Leased<Postgres> for Held {
    fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection.postgres
    }

    fn needs_transaction(&self) -> bool {
        self.tenant.is_some()
    }

    fn beginning(&self, statement: Option<SqlStr>) -> Option<SqlStr> {
        let Some(tenant) = self.tenant else { return statement };
        let begin = statement.as_ref().map_or("BEGIN", SqlStr::as_str);
        Some(AssertSqlSafe(beginning(begin, tenant)).into_sql_str())
    }

    fn begin(&mut self, _: &Plan) {
        self.busy = true;
    }

    fn end(&mut self) {
        self.busy = false;
    }

    fn spoil(&mut self) {
        self.spoilt.store(true, Ordering::Relaxed);
    }

    fn keep(&mut self) {
        self.keep = true;
    }

    fn translate(&self, error: sqlx::Error) -> sqlx::Error {
        if failure::is_lost(&error) {
            self.spoilt.store(true, Ordering::Relaxed);
            self.losses.count();
        }
        match self.tenant {
            Some(_) => failure::translate(error),
            None => error,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.spoilt.load(Ordering::Relaxed) {
            return;
        }
        let (slot, kept, target) = (self.slot.take(), Arc::clone(&self.kept), self.target);
        if !self.busy && self.depth() == 0 && !self.connection.postgres.should_flush() {
            slot.put_back(target, kept);
            return;
        }
        // Without a runtime nobody could wait for the server: the connection is closed.
        let Ok(runtime) = Handle::try_current() else { return };
        let (keep, losses) = (self.keep, self.losses.clone());
        runtime.spawn(async move {
            let mut connection = Arc::clone(&kept).lock_owned().await;
            match tokio::time::timeout(END, end(&mut connection.postgres, keep)).await {
                Ok(Ok(())) => {
                    drop(connection);
                    slot.put_back(target, kept);
                }
                Ok(Err(error)) if failure::is_lost(&error) => losses.count(),
                Ok(Err(_)) | Err(_) => {}
            }
        });
    }
}

/// What begins a transaction for a tenant.
///
/// In one message, so that it costs no way to the server and back. On a line of its own, after a comment. The tenant is a
/// number; a message of several statements takes no parameters. `SET` is no query, so that the application can still set
/// the isolation level.
pub(super) fn beginning(begin: &str, tenant: i64) -> String {
    format!("{begin}\n; SET LOCAL tenantry.tenant = {tenant}")
}

/// Ends what was begun on a connection, so that nothing of it is left.
async fn end(postgres: &mut PgConnection, keep: bool) -> Result<(), sqlx::Error> {
    while PgTransactionManager::get_transaction_depth(postgres) > 0 {
        match keep {
            true => PgTransactionManager::commit(postgres).await?,
            false => PgTransactionManager::rollback(postgres).await?,
        }
    }
    postgres.flush().await
}
