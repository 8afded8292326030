//! A lease: a connection that is checked out for one scope.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use sqlx::{
    Database, SqlStr,
    migrate::{MigrateError, Migrator},
};
use tenantry_core::Scope;
use tenantry_resource::current;
use tenantry_sql::{Code, Plan, Plans, Refused};

use super::{Explain, ScopeError};

/// Where leases come from.
pub(crate) trait Source<DB: Database>: fmt::Debug + Send + Sync {
    /// Checks out a connection for `scope`.
    fn lease<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Lease<DB>, sqlx::Error>>;

    /// How statements on shared tables are planned.
    fn planning(&self) -> BoxFuture<'_, Result<Arc<dyn Planning>, sqlx::Error>>;

    /// How the database would run a statement on shared tables.
    fn explain<'a>(&'a self, plan: &'a Plan, what: Explain) -> BoxFuture<'a, Result<Vec<DB::Row>, sqlx::Error>>;

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

    /// A statement is about to run, which reads or changes these tables.
    fn begin(&mut self, plan: &Plan);

    /// The statement has run to its end. One that does not get there leaves the connection busy.
    fn end(&mut self);

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
    pub(crate) fn new(scope: Scope, connection: impl Leased<DB> + 'static, statements: Statements) -> Self {
        Self { scope, connection: Box::new(connection), statements, own_is_open: false }
    }

    /// Refuses to work when the running task works for another tenant.
    pub(crate) fn check_scope(&self) -> Result<(), ScopeError> {
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
        }
    }
}

impl<DB: Database> fmt::Debug for Lease<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("tenant", self.scope.slug()).finish_non_exhaustive()
    }
}
