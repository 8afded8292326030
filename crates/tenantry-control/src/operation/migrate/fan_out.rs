//! Canaries, and all others.

use std::vec::IntoIter;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tenantry_core::{CatalogError, LedgerError, Slug, Tenant};

use super::{
    MIGRATIONS,
    look::Needs,
    report::{Migrated, Pause, Reached},
    rollout::{Canaries, Rollout, Targets},
};
use crate::{Control, VerbError, operation::procedure::Procedure};

/// A rollout under way.
pub(super) struct FanOut<'a, T> {
    control: &'a Control,
    rollout: &'a Rollout,
    tenants: Vec<(Tenant, Migrated)>,
    /// Which of them need it, the named canaries first.
    left: Vec<usize>,
    /// How many of these are named canaries.
    named: usize,
    counted: Counted,
    told: T,
}

#[derive(Default)]
struct Counted {
    total: usize,
    reached: usize,
    failed: u64,
    tried: u64,
}

impl<'a, T: FnMut(&Reached<'_>) + Send> FanOut<'a, T> {
    pub(super) fn new(
        control: &'a Control,
        rollout: &'a Rollout,
        targets: Targets,
        looked: Vec<Needs>,
        told: T,
    ) -> Self {
        let found = |needs: Needs| match needs {
            Needs::Migrations(migrations) if migrations.is_empty() => Migrated::UpToDate,
            Needs::NoDatabase => Migrated::NoDatabase,
            // Where it could not be looked at, the ledger gets to know why.
            Needs::Migrations(_) | Needs::Unknown { .. } => Migrated::NotReached,
        };
        let tenants: Vec<_> = targets.tenants.into_iter().zip(looked.into_iter().map(found)).collect();
        let left: Vec<_> = (0..tenants.len()).filter(|at| tenants[*at].1 == Migrated::NotReached).collect();
        let named = left.iter().filter(|at| **at < targets.named).count();
        let counted = Counted { total: left.len(), ..Counted::default() };
        Self { control, rollout, tenants, left, named, counted, told }
    }

    /// Goes on until all are done, or something stops it.
    pub(super) async fn run(mut self) -> Result<(Vec<(Slug, Migrated)>, Option<Pause>), VerbError> {
        let mut left = std::mem::take(&mut self.left).into_iter();
        let paused = match self.canaries(&mut left).await? {
            None => self.all_others(left).await?,
            paused => paused,
        };
        Ok((self.tenants.into_iter().map(|(tenant, outcome)| (tenant.slug, outcome)).collect(), paused))
    }

    /// One after the other. Who is busy proves nothing: one that was named is needed, else another one will do.
    async fn canaries(&mut self, left: &mut IntoIter<usize>) -> Result<Option<Pause>, VerbError> {
        let (mut named, mut first) = match &self.rollout.canaries {
            Canaries::First(first) => (0, *first),
            Canaries::Named(_) => (self.named, 0),
        };
        while named > 0 || first > 0 {
            let Some(at) = left.next() else { break };
            let outcome = migrate(self.control, &self.tenants[at].0).await?;
            let why = match &outcome {
                Migrated::Failed { problem, .. } => Some(problem.clone()),
                Migrated::Busy { why } if named > 0 => Some(why.clone()),
                Migrated::Done { .. } => {
                    first = first.saturating_sub(1);
                    None
                }
                _ => None,
            };
            named = named.saturating_sub(1);
            self.note(at, outcome);
            if let Some(why) = why {
                return Ok(Some(Pause::Canary { tenant: self.tenants[at].0.slug.clone(), why }));
            }
        }
        Ok(None)
    }

    /// Some at a time. When it stops, those that are under way come to their end.
    async fn all_others(&mut self, mut left: IntoIter<usize>) -> Result<Option<Pause>, VerbError> {
        let (control, most) = (self.control, self.rollout.concurrency.get());
        let mut under_way = FuturesUnordered::new();
        let (mut paused, mut broken) = (None, None);
        loop {
            while paused.is_none() && broken.is_none() && under_way.len() < most {
                let Some(at) = left.next() else { break };
                let tenant = self.tenants[at].0.clone();
                under_way.push(async move { (at, migrate(control, &tenant).await) });
            }
            match under_way.next().await {
                None => return broken.map_or(Ok(paused), Err),
                Some((_, Err(error))) => broken = broken.or(Some(error)),
                Some((at, Ok(outcome))) => {
                    self.note(at, outcome);
                    paused = paused.or_else(|| self.stopped());
                }
            }
        }
    }

    fn note(&mut self, at: usize, outcome: Migrated) {
        let Counted { total, reached, failed, tried } = &mut self.counted;
        *reached += 1;
        *failed += u64::from(matches!(outcome, Migrated::Failed { .. }));
        *tried += u64::from(matches!(outcome, Migrated::Failed { .. } | Migrated::Done { .. }));
        (self.told)(&Reached { tenant: &self.tenants[at].0.slug, outcome: &outcome, reached: *reached, total: *total });
        self.tenants[at].1 = outcome;
    }

    fn stopped(&self) -> Option<Pause> {
        let (failed, tried) = (self.counted.failed, self.counted.tried);
        let percent_max = self.rollout.failure_percent_max;
        self.rollout.stops(failed, tried).then_some(Pause::Failures { failed, tried, percent_max })
    }
}

/// Migrates the database of one tenant.
async fn migrate(control: &Control, tenant: &Tenant) -> Result<Migrated, VerbError> {
    let ended = Box::pin(control.operate_on(&tenant.slug, |_| Ok(Procedure::Migrate))).await;
    match ended {
        Ok(ended) => {
            let amount = ended.operation.progress.amounts.get(MIGRATIONS).copied().unwrap_or_default();
            Ok(Migrated::Done { operation: ended.operation.id, migrations: amount.items })
        }
        Err(VerbError::Undone { id, problem, .. }) => Ok(Migrated::Failed { operation: id, problem }),
        Err(VerbError::Unknown { .. })
        | Err(VerbError::Catalog(CatalogError::NotFound { .. }))
        | Err(VerbError::Ledger(LedgerError::Catalog(CatalogError::NotFound { .. }))) => Ok(Migrated::Gone),
        Err(VerbError::Ledger(LedgerError::Catalog(error))) => Err(error.into()),
        // What another verb has left is for somebody to look at, and no reason to stop.
        Err(error @ (VerbError::Ledger(_) | VerbError::Unfinished { .. } | VerbError::OperationUnknown { .. })) => {
            Ok(Migrated::Busy { why: error.to_string() })
        }
        Err(error) => Err(error),
    }
}
