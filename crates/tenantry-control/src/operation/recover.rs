//! What was abandoned is gone on with.

use tenantry_core::{LedgerError, Operation};

use crate::{Control, DryRun, VerbError};

/// What became of the operations that were abandoned.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Those that came to their end, or back to where they began.
    pub ended: Vec<Operation>,
    /// Those that could not be gone on with, and why.
    pub failed: Vec<(Operation, VerbError)>,
}

impl Control {
    /// Goes on with every operation whose worker is lost.
    ///
    /// # Errors
    ///
    /// [`VerbError`] when the ledger cannot be read.
    pub async fn recover(&self) -> Result<Recovered, VerbError> {
        self.recover_those(|_| true).await
    }

    /// The same, of those that `wanted` picks.
    pub(super) async fn recover_those(&self, wanted: fn(&Operation) -> bool) -> Result<Recovered, VerbError> {
        let (mut recovered, mut after) = (Recovered::default(), None);
        loop {
            // What cannot be gone on with does not keep what comes after it from being asked for.
            let page = self.ledger().abandoned(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(recovered) };
            after = Some(last.id);
            for operation in page.into_iter().filter(wanted) {
                match Box::pin(self.resume_operation(operation.id)).await {
                    Ok(_) | Err(VerbError::Undone { .. }) => recovered.ended.push(operation),
                    // Somebody else was faster.
                    Err(VerbError::Ledger(LedgerError::Lost { .. })) => {}
                    Err(error) => recovered.failed.push((operation, error)),
                }
            }
        }
    }
}

impl DryRun<'_> {
    /// Which operations [`Control::recover`] would go on with.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn recover(&self) -> Result<Vec<Operation>, VerbError> {
        let mut abandoned: Vec<Operation> = Vec::new();
        loop {
            let after = abandoned.last().map(|operation| operation.id);
            let page = self.control().ledger().abandoned(after, PAGE).await?;
            if page.is_empty() {
                return Ok(abandoned);
            }
            abandoned.extend(page);
        }
    }
}

/// How many are asked for at a time.
const PAGE: u32 = 100;
