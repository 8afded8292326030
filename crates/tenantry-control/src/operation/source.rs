//! What a tenant has is copied or exported while others may do something to it.

use tenantry_core::{LedgerError, Tenant};

use super::procedure::Procedure;
use crate::Control;

/// Whether what was read of a tenant is what it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// It is.
    Yes,
    /// Its rows are elsewhere now, or were made anew: what was read may be what was left where they had been.
    Perhaps,
    /// It is being made, reset or erased, or gone.
    No,
}

impl Control {
    /// Whether what was read of a tenant is what it had. The record is the one by which it was read.
    pub(super) async fn is_whole(&self, record: &Tenant) -> Result<Whole, LedgerError> {
        if let Some(operation) = self.ledger().of(record.id).await?
            && !Procedure::of(&operation).is_ok_and(|procedure| procedure.leaves_all())
        {
            return Ok(Whole::No);
        }
        let Some(now) = self.catalog().by_id(record.id).await? else { return Ok(Whole::No) };
        let is_same = now.placement == record.placement && now.epoch == record.epoch;
        Ok(if is_same { Whole::Yes } else { Whole::Perhaps })
    }
}
