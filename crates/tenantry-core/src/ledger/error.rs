//! Why a ledger could not do what it was asked.

use thiserror::Error;

use super::{Operation, OperationId};
use crate::{CatalogError, Slug};

/// Why a ledger could not do what it was asked. Nothing has changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Something else is being done to the tenant.
    #[error("{tenant} is in the middle of another operation: {verb}, number {id}")]
    Busy {
        /// The tenant.
        tenant: Slug,
        /// What is being done.
        verb: String,
        /// The operation.
        id: OperationId,
    },
    /// The catalog, which the ledger is kept in, declines or does not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Somebody else works on the operation, or it has ended.
    #[error("operation {id} is in other hands now, or has ended")]
    Lost {
        /// The operation.
        id: OperationId,
    },
}

impl LedgerError {
    /// This is being done to the tenant.
    pub fn busy(Operation { slug: tenant, verb, id, .. }: Operation) -> Self {
        Self::Busy { tenant, verb, id }
    }
}
