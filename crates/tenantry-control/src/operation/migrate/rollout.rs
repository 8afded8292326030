//! Who is migrated, in which order, and what stops it.

use std::{num::NonZeroUsize, time::SystemTime};

use tenantry_core::{Placement, Slug, Status, Tenant};

use crate::{Control, VerbError};

/// Which tenants' databases are migrated, in which order, and what stops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Only those of these tenants; all where none is named.
    pub tenants: Vec<Slug>,
    /// Who comes first.
    pub canaries: Canaries,
    /// How many are migrated at once, after the canaries.
    pub concurrency: NonZeroUsize,
    /// How many have to fail before their share of all that were tried counts.
    pub failures_min: u64,
    /// Which share of those that were tried may fail, in percent.
    pub failure_percent_max: u8,
}

/// Who comes first, one after the other. If one of them fails, nobody else is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canaries {
    /// As many as this, of those that need it; the oldest tenants.
    First(usize),
    /// These.
    Named(Vec<Slug>),
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            tenants: Vec::new(),
            canaries: Canaries::First(1),
            concurrency: NonZeroUsize::MIN.saturating_add(3),
            failures_min: 3,
            failure_percent_max: 10,
        }
    }
}

/// The tenants, the named canaries first.
pub(super) struct Targets {
    pub(super) tenants: Vec<Tenant>,
    pub(super) named: usize,
}

impl Rollout {
    /// Whether it stops after so many have failed of those that were tried.
    pub(super) fn stops(&self, failed: u64, tried: u64) -> bool {
        let (failed_percent, most) =
            (failed.saturating_mul(100), tried.saturating_mul(self.failure_percent_max.into()));
        failed > 0 && failed >= self.failures_min && failed_percent > most
    }

    pub(super) async fn targets(&self, control: &Control) -> Result<Targets, VerbError> {
        let mut tenants = match &self.canaries {
            Canaries::First(_) => Vec::new(),
            Canaries::Named(named) => these(control, named).await?,
        };
        let named = tenants.len();
        let others = if self.tenants.is_empty() { all(control).await? } else { these(control, &self.tenants).await? };
        for tenant in others {
            if tenants[..named].iter().all(|canary| canary.id != tenant.id) {
                tenants.push(tenant);
            }
        }
        Ok(Targets { tenants, named })
    }
}

/// Tenants by their names, each once.
async fn these(control: &Control, names: &[Slug]) -> Result<Vec<Tenant>, VerbError> {
    let mut tenants: Vec<Tenant> = Vec::new();
    for name in names {
        let tenant = control.find(name).await?;
        if tenant.placement != Placement::Dedicated {
            return Err(VerbError::NotDedicated { tenant: tenant.slug });
        }
        if tenants.iter().all(|known| known.id != tenant.id) {
            tenants.push(tenant);
        }
    }
    Ok(tenants)
}

/// All that have a database of their own, and keep it: of what is due to be erased nobody will read anything.
async fn all(control: &Control) -> Result<Vec<Tenant>, VerbError> {
    let now = SystemTime::now();
    let is_due = |tenant: &Tenant| tenant.status == Status::Deleting && tenant.erase_at.is_some_and(|at| at <= now);
    let (mut tenants, mut after) = (Vec::new(), None);
    loop {
        let page = control.catalog().page(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(tenants) };
        after = Some(last.id);
        tenants.extend(page.into_iter().filter(|it| it.placement == Placement::Dedicated && !is_due(it)));
    }
}

/// How many records are read at a time.
const PAGE: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_failures_do_not_decide_and_a_share_does() {
        let rollout = Rollout::default();
        assert!(!rollout.stops(2, 2), "too few to say anything");
        assert!(rollout.stops(3, 3));
        assert!(!rollout.stops(3, 30), "a tenth is allowed");
        assert!(rollout.stops(4, 30));
        let strict = Rollout { failures_min: 0, failure_percent_max: 0, ..rollout.clone() };
        assert!(!strict.stops(0, 5) && strict.stops(1, 1_000_000));
        let never = Rollout { failure_percent_max: 100, ..rollout };
        assert!(!never.stops(1000, 1000));
    }
}
