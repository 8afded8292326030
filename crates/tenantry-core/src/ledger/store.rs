//! What any store of operations must be able to do.

use std::time::Duration;

use super::{LedgerError, NewOperation, Operation, OperationId, Outcome, Progress};
use crate::{BoxFuture, TenantId};

/// Who works on operations, and for how long nobody else may when he is not heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// A name that nobody else has.
    pub name: String,
    /// How long a lease lasts. It is extended while the worker lives.
    pub lease: Duration,
}

/// The durable record of operations. It is kept in the catalog, in whose transactions operations begin.
///
/// What an implementation promises:
/// 1. A tenant has at most one operation that has not ended.
/// 2. An operation has one worker at a time; who has lost it can change nothing of it.
/// 3. Times are told by one clock for all workers.
pub trait Ledger: Send + Sync + 'static {
    /// Begins an operation, and registers its tenant where that is a new one. The worker has the lease.
    ///
    /// The record of one that there is gets another revision with it, so that whoever has decided on something by the former
    /// one has to look again. If it has another one already, nothing begins ([`CatalogError::Changed`]).
    ///
    /// [`CatalogError::Changed`]: crate::CatalogError::Changed
    fn begin<'a>(&'a self, new: NewOperation, worker: &'a Worker) -> BoxFuture<'a, Result<Operation, LedgerError>>;

    /// Takes over an operation whose lease has run out, or which is the worker's own.
    fn take<'a>(&'a self, id: OperationId, worker: &'a Worker) -> BoxFuture<'a, Result<Operation, LedgerError>>;

    /// Extends the worker's lease.
    fn keep<'a>(&'a self, id: OperationId, worker: &'a Worker) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// Writes how far the operation is, and extends the lease.
    fn write<'a>(
        &'a self,
        id: OperationId,
        worker: &'a Worker,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// Removes the record of the operation's tenant. Nobody else can, as long as the operation has not ended.
    fn forget<'a>(&'a self, id: OperationId, worker: &'a Worker) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// Ends an operation.
    fn end<'a>(
        &'a self,
        id: OperationId,
        worker: &'a Worker,
        outcome: Outcome,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// The operation that is being done to a tenant, if there is one.
    fn of(&self, tenant: TenantId) -> BoxFuture<'_, Result<Option<Operation>, LedgerError>>;

    /// At most `limit` operations whose lease has run out before they ended, and which are younger than `after`, the oldest
    /// first.
    fn abandoned(&self, after: Option<OperationId>, limit: u32) -> BoxFuture<'_, Result<Vec<Operation>, LedgerError>>;

    /// At most `limit` operations that are older than `before`, the latest first: of one tenant, or of all.
    fn history(
        &self,
        tenant: Option<TenantId>,
        before: Option<OperationId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Operation>, LedgerError>>;
}
