//! A lease: a connection that is checked out for one scope.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sqlx::{
    Database, SqlStr,
    migrate::{MigrateError, Migrator},
};
use tenantry_core::{Admission, Count, Placement, Refusal, Scope};
use tenantry_resource::current;
use tenantry_sql::{Code, Plan, Plans, Refused};

use super::{Explain, ScopeError, rows_max::Tallies};
use crate::room::{Claim, Rooms};

/// Where leases come from.
pub(crate) trait Source<DB: Database>: fmt::Debug + Send + Sync {
    /// Checks out a connection for `scope`.
    fn lease<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Lease<DB>, sqlx::Error>>;

    /// How statements on shared tables are planned.
    fn planning(&self) -> BoxFuture<'_, Result<Arc<dyn Planning>, sqlx::Error>>;

    /// How the database would run a statement on shared tables.
    fn explain<'a>(&'a self, plan: &'a Plan, what: Explain) -> BoxFuture<'a, Result<Vec<DB::Row>, sqlx::Error>>;

    /// How long a statement waits for rows that are on their way to another place.
    fn move_wait_max(&self) -> Duration {
        Duration::ZERO
    }

    /// Brings the schema up to date, for all tenants.
    fn migrate<'a>(&'a self, migrator: &'a Migrator) -> BoxFuture<'a, Result<(), MigrateError>>;
}

/// A connection that is checked out for one scope.
pub(crate) struct Lease<DB: Database> {
    pub(crate) scope: Scope,
    pub(crate) connection: Box<dyn Leased<DB>>,
    pub(crate) statements: Statements,
    /// Whether a transaction is open that a statement got for itself.
    pub(super) own_is_open: bool,
    /// Where the tenant's rows are on this connection, and who knows where they are by now.
    place: Option<(Arc<Admission>, Placement)>,
    /// What is known of all tenants' rows, where plans can limit them.
    pub(super) rooms: Option<Arc<Rooms>>,
    /// What was inserted and deleted, if the tenant's plan limits it.
    pub(super) tallies: Option<Tallies>,
    /// How many rows the statement that runs has given.
    pub(super) read: u64,
    /// When the statement that runs has begun.
    pub(super) began: Option<Instant>,
    /// Why the database has undone the open transaction, which nobody has ended yet.
    pub(super) undone: Option<Refusal>,
}

/// What is checked out.
pub(crate) trait Leased<DB: Database>: Send {
    /// The connection.
    fn connection(&mut self) -> &mut DB::Connection;

    /// Whether a statement that no transaction is around needs one of its own.
    fn needs_transaction(&self) -> bool {
        false
    }

    /// What a transaction begins with here: what the application wants it to begin with, or the database's own way, and
    /// whatever has to be said first.
    fn beginning(&self, statement: Option<SqlStr>) -> Option<SqlStr> {
        statement
    }

    /// A transaction is being begun, or is not any more. One that nobody waits for may begin nevertheless.
    fn begins_transaction(&mut self, _: bool) {}

    /// A statement is about to run, which reads or changes these tables.
    fn begin(&mut self, plan: &Plan);

    /// The statement has run to its end. One that does not get there leaves the connection busy.
    fn end(&mut self);

    /// The statement that is about to run stops at this time, on databases that have to be told for each.
    fn stop_at(&mut self, _: Option<Instant>) {}

    /// The statement that is about to run may insert this much, on databases that tell of each row.
    fn claim(&mut self, _: Arc<Claim>) {}

    /// How many rows the tenant has in shared tables: on databases that tell of each row, those that are committed; on
    /// others, as the open transaction sees them.
    fn count_rows<'a>(&'a mut self, plans: &'a Plans) -> BoxFuture<'a, Result<u64, sqlx::Error>>;

    /// The connection is not to be used again by anybody else.
    fn spoil(&mut self);

    /// What the open transaction did is kept when the connection goes back.
    fn keep(&mut self) {}

    /// What an error of the database would be on a database of the tenant's own.
    fn translate(&self, error: sqlx::Error) -> sqlx::Error;
}

/// What happens to the statements of a lease.
#[derive(Clone, Debug)]
pub(crate) enum Statements {
    /// They run as written, on a database of the tenant's own.
    AsWritten,
    /// They are scoped.
    Scoped(Arc<dyn Planning>),
}

/// Plans statements, with the schema as it is now.
pub(crate) trait Planning: fmt::Debug + Send + Sync {
    fn plans(&self) -> Arc<Plans>;

    /// Reads the schema if it has another version than the plans. Says whether it has.
    fn reload(&self) -> BoxFuture<'_, Result<bool, sqlx::Error>>;

    /// The same where something is not known, or might not be. While the schema cannot be read, nothing changes.
    fn look_again(&self) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            self.reload().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the schema of the shared database cannot be read; the one known so far goes on");
                false
            })
        })
    }
}

impl<DB: Database> Lease<DB> {
    /// Whether statements run as they are written, on a database of the tenant's own.
    pub(super) const fn is_as_written(&self) -> bool {
        matches!(self.statements, Statements::AsWritten)
    }

    pub(crate) fn new(scope: Scope, connection: impl Leased<DB> + 'static, statements: Statements) -> Self {
        Self {
            scope,
            connection: Box::new(connection),
            statements,
            own_is_open: false,
            rooms: None,
            tallies: None,
            read: 0,
            began: None,
            undone: None,
            place: None,
        }
    }

    /// The same for the scope that has asked for it, which was admitted once more since; and which looks whether the tenant's
    /// rows are still here.
    pub(crate) fn asked_for(mut self, scope: &Scope, admission: Option<Arc<Admission>>) -> Self {
        let now = std::mem::replace(&mut self.scope, scope.clone());
        self.place = admission.map(|admission| (admission, now.tenant().placement.clone()));
        self
    }

    /// Refuses to work where the tenant's rows are no longer: what is changed there would be lost.
    pub(super) fn check_place(&self) -> Result<(), ScopeError> {
        let Some((admission, place)) = &self.place else { return Ok(()) };
        match admission.mirror().by_id(self.scope.id()) {
            Some(now) if now.placement != *place => Err(ScopeError::Moved),
            // That a tenant is gone does not matter to what has begun before.
            Some(_) | None => Ok(()),
        }
    }

    /// With what is known of all tenants' rows in shared tables.
    pub(crate) fn within(mut self, rooms: &Arc<Rooms>) -> Self {
        self.rooms = Some(Arc::clone(rooms));
        self
    }

    /// Refuses to work when the running task works for another tenant, or when the database has undone the transaction.
    pub(crate) fn check_scope(&self) -> Result<(), ScopeError> {
        if let Some(refusal) = &self.undone {
            return Err(ScopeError::OverLimit(refusal.clone()));
        }
        match current() {
            Ok(scope) if scope.id() != self.scope.id() => {
                Err(ScopeError::OtherScope { leased: self.scope.slug().clone() })
            }
            // The lease itself is the proof where no scope is current.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl dyn Planning {
    /// The plan of a statement.
    pub(crate) async fn plan(&self, text: &str) -> Result<Arc<Plan>, Refused> {
        match self.plans().plan(text) {
            // Another process may have added the table.
            Err(refused) if refused.code == Code::Relation && self.look_again().await => self.plans().plan(text),
            planned => planned,
        }
    }
}

impl Statements {
    /// The plan of a statement; nothing when it runs as written.
    pub(crate) async fn plan(&self, text: &str) -> Result<Option<Arc<Plan>>, Refused> {
        match self {
            Self::AsWritten => Ok(None),
            Self::Scoped(planning) => planning.plan(text).await.map(Some),
        }
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        // Nobody waited for the end of a statement, which the database runs to its end nevertheless.
        if self.own_is_open {
            self.connection.keep();
            self.settle(0, true);
        }
        if let Some(began) = self.began {
            // Nobody has read it to its end.
            self.scope.usage().add_time(Count::StatementNanos, began.elapsed());
            self.scope.usage().add(Count::RowsRead, self.read);
            self.doubt_room();
        }
    }
}

impl<DB: Database> fmt::Debug for Lease<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("tenant", self.scope.slug()).finish_non_exhaustive()
    }
}
