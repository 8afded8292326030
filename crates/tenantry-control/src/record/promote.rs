//! Promote: a trial becomes a customer.

use tenantry_core::{Amendment, PlanName, Slug};

use super::{not_deleting, with_time};
use crate::{Changed, Control, VerbError};

impl Control {
    /// Makes a customer of a trial: it is on this plan from now on, and its time does not end. Its data stays.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::PlanUnknown`] when there is no such plan.
    pub async fn promote(&self, tenant: &Slug, plan: &PlanName) -> Result<Changed, VerbError> {
        self.check_plan(plan)?;
        self.change(tenant, |tenant| {
            not_deleting(tenant)?;
            Ok(Amendment {
                status: with_time(tenant),
                plan: Some(plan.clone()),
                expires_at: Some(None),
                ..Amendment::default()
            })
        })
        .await
    }

    fn check_plan(&self, plan: &PlanName) -> Result<(), VerbError> {
        if self.plans().get(plan).is_some() {
            return Ok(());
        }
        let mut known: Vec<_> = self.plans().iter().map(|plan| plan.name.clone()).collect();
        known.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        Err(VerbError::PlanUnknown { plan: plan.clone(), known })
    }
}
