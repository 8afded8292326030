//! From step to step, and back.

use std::time::{Duration, Instant};

use tenantry_core::{
    CatalogError, Direction, Ledger, LedgerError, NewOperation, Operation, OperationId, Outcome, Slug, Subject, Tenant,
    TenantId, Worker,
};

use super::{
    import::Brought,
    procedure::{Intent, Procedure},
    step::{Step, StepError},
};
use crate::{Control, VerbError, with_causes};

/// An operation that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What was done, as the ledger has it now.
    pub operation: Operation,
    /// The tenant as it is now; nothing where it is gone.
    pub tenant: Option<Tenant>,
}

impl Control {
    /// Does to a tenant what `decide` says, in steps that the ledger knows of.
    ///
    /// What was abandoned of it is brought to its end first. If that was the same, it is what was asked for; otherwise what is to
    /// be done is decided on anew, since the tenant is another one by then. So it is when somebody else was faster.
    pub(super) async fn operate_on(
        &self,
        slug: &Slug,
        decide: impl Fn(&Tenant) -> Result<Procedure, VerbError>,
    ) -> Result<Ended, VerbError> {
        loop {
            let tenant = self.find(slug).await?;
            let procedure = decide(&tenant);
            match self.finish_abandoned(tenant.id).await? {
                Finished::Nothing => {}
                Finished::Undone => continue,
                Finished::Done(ended) => match (procedure, Procedure::of(&ended.operation)) {
                    (Ok(wanted), Ok(done)) if wanted.is_same(&done) => return Ok(*ended),
                    _ => continue,
                },
            }
            let intent = Intent { subject: Subject::Existing(tenant.id, tenant.revision), procedure: procedure? };
            match self.operate(intent, &Brought::default()).await {
                // Each time round, somebody else has got on.
                Err(VerbError::Ledger(LedgerError::Catalog(CatalogError::Changed { .. }))) => {}
                ended => return ended,
            }
        }
    }

    /// Writes an operation to the ledger, and takes its steps, with what only the one who begins it has.
    pub(super) async fn operate(
        &self,
        Intent { subject, procedure }: Intent,
        brought: &Brought<'_>,
    ) -> Result<Ended, VerbError> {
        let run = Run::new(self, brought)?;
        let new = NewOperation { subject, verb: procedure.verb().to_owned(), input: procedure.input()? };
        let operation = self.ledger().begin(new, &run.worker).await?;
        run.go_on(operation, &procedure).await
    }

    /// Brings to an end what was being done to a tenant by somebody who is lost.
    async fn finish_abandoned(&self, tenant: TenantId) -> Result<Finished, VerbError> {
        let Some(operation) = self.ledger().of(tenant).await? else { return Ok(Finished::Nothing) };
        match self.resume_operation(operation.id).await {
            Ok(ended) => Ok(Finished::Done(Box::new(ended))),
            Err(VerbError::Undone { .. }) => Ok(Finished::Undone),
            Err(VerbError::Ledger(LedgerError::Lost { .. })) => Err(LedgerError::busy(operation).into()),
            Err(error) => Err(error),
        }
    }

    /// Goes on with an operation that nobody works on.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`LedgerError::Lost`] in it when somebody works on it, or when it has ended.
    pub async fn resume_operation(&self, id: OperationId) -> Result<Ended, VerbError> {
        let brought = Brought::default();
        let run = Run::new(self, &brought)?;
        let operation = self.ledger().take(id, &run.worker).await?;
        let procedure = Procedure::of(&operation)?;
        run.go_on(operation, &procedure).await
    }
}

/// What was left to be done to a tenant.
enum Finished {
    Nothing,
    Done(Box<Ended>),
    Undone,
}

/// One who works on one operation. Nobody else has this name, so that nobody else is taken for it.
pub(super) struct Run<'a, 'b> {
    pub(super) control: &'a Control,
    pub(super) brought: &'a Brought<'b>,
    pub(super) worker: Worker,
}

impl<'a, 'b> Run<'a, 'b> {
    fn new(control: &'a Control, brought: &'a Brought<'b>) -> Result<Self, VerbError> {
        let name = getrandom::u64().map_err(|error| VerbError::Random { source: error })?;
        Ok(Self {
            control,
            brought,
            worker: Worker { name: format!("{}-{name:016x}", std::process::id()), lease: control.lease() },
        })
    }

    fn ledger(&self) -> &dyn Ledger {
        self.control.ledger()
    }

    /// Takes the steps that are left of an operation that is this worker's.
    async fn go_on(&self, mut operation: Operation, procedure: &Procedure) -> Result<Ended, VerbError> {
        let direction = operation.progress.direction;
        // Who is on the way back already has one, whatever had been done.
        let (mut taken, mut is_refused) = (0, true);
        if direction == Direction::Forth {
            let Some(error) = self.take(&mut operation, &procedure.forth()).await? else {
                return self.end(operation, Outcome::Done).await;
            };
            tracing::warn!(%error, operation = %operation.id, tenant = %operation.slug, "a step has failed");
            operation.progress.problem = Some(with_causes(&error));
            (taken, is_refused) = (operation.progress.steps, matches!(error, StepError::Served(_)));
        }
        let Some(back) = procedure.back(taken, is_refused) else { return Err(self.leave(operation).await) };
        if direction == Direction::Forth {
            (operation.progress.direction, operation.progress.steps) = (Direction::Back, 0);
            self.ledger().write(operation.id, &self.worker, &operation.progress).await?;
        }
        if let Some(error) = self.take(&mut operation, &back).await? {
            operation.progress.problem = Some(with_causes(&error));
            return Err(self.leave(operation).await);
        }
        let Operation { id, verb, slug: tenant, .. } = operation.clone();
        let problem = operation.progress.problem.clone().unwrap_or_default();
        self.end(operation, Outcome::Undone).await?;
        Err(VerbError::Undone { id, verb, tenant, problem })
    }

    /// Takes the steps that are left of these. Says why one has failed; how far it got is in the operation.
    async fn take(&self, operation: &mut Operation, steps: &[Step]) -> Result<Option<StepError>, VerbError> {
        let taken = usize::try_from(operation.progress.steps).unwrap_or(usize::MAX);
        for (number, step) in (1..).zip(steps).skip(taken) {
            tracing::debug!(operation = %operation.id, step = step.name(), "next step");
            let mut progress = operation.progress.clone();
            let work = async {
                // Counting may take a while as well.
                step.announce(self.control, operation.tenant, (number, steps.len())).await;
                step.take(self, operation, &mut progress).await
            };
            if let Err(error) = self.keeping(operation, work).await? {
                return Ok(Some(error));
            }
            progress.steps += 1;
            self.ledger().write(operation.id, &self.worker, &progress).await?;
            operation.progress = progress;
        }
        Ok(None)
    }

    /// Works on an operation while its lease is extended. Stops when it is lost.
    async fn keeping<T>(&self, operation: &Operation, work: impl Future<Output = T>) -> Result<T, VerbError> {
        // Side by side, not in turns: the work may hold what the ledger waits for.
        tokio::select! {
            done = work => Ok(done),
            lost = self.keep(operation) => Err(lost),
        }
    }

    /// Extends the lease again and again, and ends when it is lost.
    async fn keep(&self, operation: &Operation) -> VerbError {
        let worker = &self.worker;
        let mut until = Instant::now() + worker.lease;
        loop {
            tokio::time::sleep(worker.lease / 3).await;
            let asked = Instant::now();
            match self.ledger().keep(operation.id, worker).await {
                Ok(()) => until = asked + worker.lease,
                Err(LedgerError::Catalog(error)) if asked < until => {
                    tracing::warn!(%error, operation = %operation.id, "the lease of an operation cannot be extended");
                }
                Err(error) => return error.into(),
            }
        }
    }

    async fn end(&self, operation: Operation, outcome: Outcome) -> Result<Ended, VerbError> {
        self.ledger().end(operation.id, &self.worker, outcome, &operation.progress).await?;
        let tenant = self.control.catalog().by_id(operation.tenant).await?;
        Ok(Ended { operation: Operation { outcome: Some(outcome), ..operation }, tenant })
    }

    /// Writes how far it got, and lets go of it, so that it can be gone on with at once.
    async fn leave(&self, operation: Operation) -> VerbError {
        let at_once = Worker { name: self.worker.name.clone(), lease: Duration::ZERO };
        if let Err(error) = self.ledger().write(operation.id, &at_once, &operation.progress).await {
            return error.into();
        }
        let problem = operation.progress.problem.unwrap_or_default();
        VerbError::Unfinished { id: operation.id, verb: operation.verb, tenant: operation.slug, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let tenant = Tenant::new(TenantId::new(1), "acme".parse().unwrap());
        let error = StepError::Plane(tenantry_core::PlaneError::new("rows", &tenant, "the disk is full"));
        assert_eq!(with_causes(&error), "the rows of acme cannot be worked on: the disk is full");
    }
}
