//! A connection that is checked out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Postgres, SqlSafeStr, SqlStr, postgres::PgTransactionManager,
};
use sqlx_core::transaction::TransactionManager;
use tenantry_core::Scope;
use tenantry_sql::{Plan, Plans, Relation, SHARED_SCHEMA, TENANT, Table};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use super::{
    budget::{Slot, Target},
    connection::{Connection, Losses, millis},
    failure,
};
use crate::scoped::{Leased, ScopeError};

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
    /// How long a statement may run.
    time_max: Option<Duration>,
    losses: Losses,
    /// Whether a statement may still run.
    busy: bool,
    /// Whether a transaction may begin that sqlx does not know of.
    begins: bool,
    /// Whether it cannot be known what state it is in.
    spoilt: AtomicBool,
    /// Whether what an open transaction did is kept.
    keep: bool,
}

impl Held {
    pub(super) async fn new(
        slot: Slot<Kept>,
        kept: Kept,
        target: Target,
        scope: &Scope,
        losses: Losses,
    ) -> Result<Self, sqlx::Error> {
        let time_max = scope.limits().statement_time_max;
        let mut connection = Arc::clone(&kept).lock_owned().await;
        let tenant = match target {
            Target::Shared => Some(scope.id().get()),
            Target::Dedicated(_) => {
                // Statements run as they are written there, so that it is said once for the connection.
                connection.limit_time(time_max).await?;
                None
            }
        };
        let spoilt = AtomicBool::new(false);
        Ok(Self {
            connection,
            kept,
            slot,
            target,
            tenant,
            time_max,
            losses,
            busy: false,
            begins: false,
            spoilt,
            keep: false,
        })
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
        Some(AssertSqlSafe(beginning(begin, tenant, self.time_max)).into_sql_str())
    }

    fn begins_transaction(&mut self, begins: bool) {
        self.begins = begins;
    }

    fn begin(&mut self, _: &Plan) {
        self.busy = true;
    }

    fn end(&mut self) {
        self.busy = false;
    }

    fn count_rows<'a>(&'a mut self, plans: &'a Plans) -> BoxFuture<'a, Result<u64, sqlx::Error>> {
        Box::pin(count_rows(&mut self.connection.postgres, self.tenant, plans))
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
        if failure::is_stale(&error) {
            // What others have prepared is of the former schema as well.
            self.slot.close_idle_to(self.target);
        }
        match self.tenant {
            _ if failure::is_moved(&error) => ScopeError::Moved.into(),
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
        if !self.busy && !self.begins && self.depth() == 0 && !self.connection.postgres.should_flush() {
            slot.put_back(target, kept);
            return;
        }
        // Without a runtime nobody could wait for the server: the connection is closed.
        let Ok(runtime) = Handle::try_current() else { return };
        let (keep, begins, losses) = (self.keep, self.begins, self.losses.clone());
        runtime.spawn(async move {
            let mut connection = Arc::clone(&kept).lock_owned().await;
            match tokio::time::timeout(END, end(&mut connection.postgres, keep, begins)).await {
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
pub(super) fn beginning(begin: &str, tenant: i64, time_max: Option<Duration>) -> String {
    let tenant = format!("{begin}\n; SET LOCAL tenantry.tenant = {tenant}");
    match time_max {
        Some(max) => format!("{tenant}; SET LOCAL statement_timeout = {}", millis(max)),
        None => tenant,
    }
}

/// How many rows the tenant has, as the open transaction sees them.
async fn count_rows(postgres: &mut PgConnection, tenant: Option<i64>, plans: &Plans) -> Result<u64, sqlx::Error> {
    let tables: Vec<_> = plans.schema().relations().filter_map(of_tenants).collect();
    let mut rows = 0;
    for some in tables.chunks(COUNTED_AT_ONCE) {
        let counts = some.iter().map(|table| {
            // Its partitions are tables by themselves.
            format!("(SELECT count(*) FROM ONLY {SHARED_SCHEMA}.{} WHERE {TENANT} = $1)", table.name.quoted())
        });
        let text = format!("SELECT {}", counts.collect::<Vec<_>>().join(" + "));
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(text)).bind(tenant).fetch_one(&mut *postgres).await?;
        rows += count.unsigned_abs();
    }
    Ok(rows)
}

fn of_tenants(relation: &Relation) -> Option<&Table> {
    match relation {
        Relation::Tenant(table) => Some(table),
        Relation::Global(_) | Relation::View(_) => None,
    }
}

/// How many tables are counted by one statement.
const COUNTED_AT_ONCE: usize = 64;

/// Ends what was begun on a connection, so that nothing of it is left.
async fn end(postgres: &mut PgConnection, keep: bool, begins: bool) -> Result<(), sqlx::Error> {
    while PgTransactionManager::get_transaction_depth(postgres) > 0 {
        match keep {
            true => PgTransactionManager::commit(postgres).await?,
            false => PgTransactionManager::rollback(postgres).await?,
        }
    }
    if begins {
        // sqlx has not heard of it. Where there is none, the server only warns.
        sqlx::raw_sql("ROLLBACK").execute(&mut *postgres).await?;
    }
    postgres.flush().await
}
