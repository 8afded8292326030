//! Promote: a trial becomes a customer.

use tenantry_core::{Amendment, PlanName, Plans, Slug, Tenant};

use super::{not_deleting, with_time};
use crate::{Changed, Control, DryRun, Foreseen, VerbError};

impl Control {
    /// Makes a customer of a trial: it is on this plan from now on, and its time does not end. Its data stays, also when its
    /// time is up later ([`Control::expire`]).
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::PlanUnknown`] when there is no such plan.
    pub async fn promote(&self, tenant: &Slug, plan: &PlanName) -> Result<Changed, VerbError> {
        check_plan(self.plans(), plan)?;
        self.change(tenant, |tenant| promoted(tenant, plan)).await
    }
}

impl DryRun<'_> {
    /// What [`Control::promote`] would do.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn promote(&self, tenant: &Slug, plan: &PlanName) -> Result<Foreseen, VerbError> {
        check_plan(self.control().plans(), plan)?;
        self.change(tenant, |tenant| promoted(tenant, plan)).await
    }
}

fn promoted(tenant: &Tenant, plan: &PlanName) -> Result<Amendment, VerbError> {
    not_deleting(tenant)?;
    Ok(Amendment {
        status: with_time(tenant),
        plan: Some(plan.clone()),
        expires_at: Some(None),
        trial: Some(false),
        ..Amendment::default()
    })
}

/// Refuses a plan that is none of these.
///
/// # Errors
///
/// [`VerbError::PlanUnknown`], with those that there are.
pub fn check_plan(plans: &Plans, plan: &PlanName) -> Result<(), VerbError> {
    if plans.get(plan).is_some() {
        return Ok(());
    }
    let mut known: Vec<_> = plans.iter().map(|plan| plan.name.clone()).collect();
    known.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    Err(VerbError::PlanUnknown { plan: plan.clone(), known })
}
