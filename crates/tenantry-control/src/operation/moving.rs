//! Move: a tenant's rows get from one placement to the other, while it works.

use tenantry_core::{Amendment, MovableRows, Moving, Placement, Progress, Slug, Tenant};

use super::{
    procedure::Procedure,
    run::Ended,
    step::{Leg, StepError},
};
use crate::{Control, DryRun, Foreseen, VerbError, record::ready};

impl Control {
    /// Moves a tenant's rows to the other placement. It is served all the time: writes wait for a moment at the end, and reads
    /// do not. Its uploads, jobs and whatever else it has stay where they are.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::Undone`] when a step has failed, and the tenant works where it was.
    pub async fn move_to(&self, tenant: &Slug, to: Placement) -> Result<Ended, VerbError> {
        self.operate_on(tenant, |tenant| self.moving(tenant, &to)).await
    }

    fn moving(&self, tenant: &Tenant, to: &Placement) -> Result<Procedure, VerbError> {
        ready(tenant)?;
        if self.movable().is_none() {
            return Err(VerbError::NotMovable);
        }
        if tenant.placement == *to {
            return Err(VerbError::SamePlacement { tenant: tenant.slug.clone(), placement: to.clone() });
        }
        Ok(Procedure::Move { from: tenant.placement.to_string(), to: to.to_string() })
    }
}

impl DryRun<'_> {
    /// What [`Control::move_to`] would do.
    ///
    /// # Errors
    ///
    /// Its own, as far as they can be known.
    pub async fn move_to(&self, tenant: &Slug, to: Placement) -> Result<Foreseen, VerbError> {
        self.foresee_on(tenant, |tenant| self.control().moving(tenant, &to)).await
    }
}

/// Takes a step of a move.
pub(super) async fn take(
    leg: Leg,
    control: &Control,
    tenant: &Tenant,
    (from, to): (&str, &str),
    progress: &mut Progress,
) -> Result<(), StepError> {
    let not_movable = || StepError::NotMovable { from: from.to_owned(), to: to.to_owned() };
    let (Ok(from), Ok(to)) = (from.parse::<Placement>(), to.parse::<Placement>()) else { return Err(not_movable()) };
    let rows = control.movable().ok_or_else(not_movable)?;
    let moving = Moving::new(tenant, from, to);
    let is_before_switch = matches!(leg, Leg::Prepare | Leg::Copy | Leg::CatchUp | Leg::Fence);
    if is_before_switch && tenant.placement != moving.from.placement {
        return Err(StepError::Elsewhere(tenant.placement.clone()));
    }
    match leg {
        Leg::Prepare => rows.prepare(&moving).await?,
        Leg::Copy => {
            progress.amounts.insert(ROWS.to_owned(), rows.copy(&moving).await?);
        }
        Leg::CatchUp => catch_up(&**rows, &moving).await?,
        Leg::Fence => rows.fence(&moving).await?,
        Leg::Switch => {
            let switched = Amendment { placement: Some(moving.to.placement), ..Amendment::default() };
            control.catalog().amend(tenant.id, &switched, None).await?;
        }
        Leg::CleanUp => drop(rows.clean_up(&moving).await?),
        // Somebody has switched it by hand: what would be removed is what the tenant works with.
        Leg::Abandon if tenant.placement != moving.from.placement => {}
        Leg::Abandon => rows.abandon(&moving).await?,
    }
    Ok(())
}

/// Catches up until little is left, or until it does not get less: the tenant writes faster than it is copied, and the rest is
/// for the fence.
async fn catch_up(rows: &dyn MovableRows, moving: &Moving) -> Result<(), StepError> {
    let mut last = u64::MAX;
    loop {
        let changed = rows.catch_up(moving).await?;
        if changed <= FEW || changed >= last {
            return Ok(());
        }
        last = changed;
    }
}

/// As the planes call them.
pub(super) const ROWS: &str = "rows";

/// How many changed rows do not keep writers waiting that one would notice.
const FEW: u64 = 100;
