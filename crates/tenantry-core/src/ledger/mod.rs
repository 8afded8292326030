//! The ledger: the durable record of what is being done to tenants.

mod error;
mod operation;
mod store;

pub use self::{
    error::LedgerError,
    operation::{Direction, NewOperation, Operation, OperationId, Outcome, Progress, Subject},
    store::{Ledger, Worker},
};
