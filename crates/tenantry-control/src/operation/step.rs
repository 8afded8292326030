//! What each step does. Every one of them may be taken again.

use std::sync::Arc;

use tenantry_core::{
    Amendment, Amount, BoxError, CatalogError, LedgerError, Operation, Overrides, Placement, Plane, PlaneError,
    Progress, Slug, Status, Tenant, TenantId,
};
use thiserror::Error;

use super::{
    clone::{settings_of, with_settings},
    import, migrate, moving,
    run::Run,
    source::Whole,
};
use crate::{Control, archive::ArchiveError};

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The tenant is not served until it is opened.
    Close,
    /// Whoever still works for it gets to an end.
    Settle,
    /// What it has in a plane is a copy of what another one has.
    Copy { plane: String, from: TenantId },
    /// It has the settings that another one has.
    CopySettings { from: TenantId },
    /// It has what is in an archive.
    Import { planes: Vec<String> },
    /// Its own database has all migrations.
    Migrate,
    /// Its rows get one step further from one placement to the other.
    Move { leg: Leg, from: String, to: String },
    /// What it has in each plane is counted, before any of it is gone.
    Count { planes: Vec<String> },
    /// It has nothing in a plane.
    Erase { plane: String },
    /// It has nothing in any plane, and that is counted.
    Prove { planes: Vec<String> },
    /// It has no settings of its own, and begins another epoch.
    Renew,
    /// It is ready to be served, unless it was switched off.
    Open { suspended: bool },
    /// Its record is removed.
    Forget,
}

/// A step of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    Prepare,
    Copy,
    CatchUp,
    Fence,
    /// The catalog says where the rows are now.
    Switch,
    CleanUp,
    Abandon,
}

/// Why a step was not taken to its end.
#[derive(Debug, Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error("its rows are {0} already")]
    Elsewhere(Placement),
    #[error("there is no tenant {0} any more, of which a copy was to be made")]
    Gone(TenantId),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("only who began the import has the archive; import it again")]
    NoArchive,
    #[error("this deployment does not know the application's migrations: database.migrations is to name their folder")]
    NotMigratable,
    #[error("rows cannot be moved from {from} to {to} here")]
    NotMovable { from: String, to: String },
    #[error("this deployment has no {0}, which the operation began with")]
    NoPlane(String),
    #[error(transparent)]
    Plane(#[from] PlaneError),
    #[error(
        "its record was removed, without which nobody finds what it has; look for its number {0} in what it was stored in"
    )]
    Recordless(TenantId),
    #[error("it is {0}, and what is served is not erased; mark it as deleting first")]
    Served(Status),
    #[error("{0} is being made, reset or erased, and no copy is made of what is half there; wait until that has ended")]
    Unready(Slug),
    #[error("the settings of {from} cannot be copied: {source}")]
    Settings { from: Slug, source: BoxError },
    #[error("there are still {left} {plane}: somebody works for the tenant")]
    Left { plane: String, left: u64 },
}

impl Step {
    /// What it is called in logs, and where it is shown.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Close => "close".to_owned(),
            Self::Settle => "settle".to_owned(),
            Self::Copy { plane, .. } => format!("copy {plane}"),
            Self::Count { .. } => "count".to_owned(),
            Self::CopySettings { .. } => "copy settings".to_owned(),
            Self::Erase { plane } => format!("erase {plane}"),
            Self::Import { .. } => "import".to_owned(),
            Self::Migrate => "migrate".to_owned(),
            Self::Move { leg, .. } => leg.name().to_owned(),
            Self::Prove { .. } => "prove".to_owned(),
            Self::Renew => "renew".to_owned(),
            Self::Open { .. } => "open".to_owned(),
            Self::Forget => "forget".to_owned(),
        }
    }

    /// Takes the step for the tenant of an operation.
    pub(super) async fn take(
        &self,
        run: &Run<'_, '_>,
        operation: &Operation,
        progress: &mut Progress,
    ) -> Result<(), StepError> {
        let (control, id) = (run.control, operation.tenant);
        let Some(tenant) = control.catalog().by_id(id).await? else {
            // It is the last thing that goes.
            return if *self == Self::Forget { Ok(()) } else { Err(StepError::Recordless(id)) };
        };
        match self {
            // Whoever has marked it as deleting meanwhile is heard.
            Self::Close if tenant.status == Status::Deleting => Ok(()),
            Self::Close => set(control, &tenant, Status::Provisioning).await,
            Self::Settle => {
                tokio::time::sleep(control.settle()).await;
                Ok(())
            }
            Self::Copy { plane, from } => {
                let amount = copy(control, plane, *from, &tenant).await?;
                progress.amounts.insert(plane.clone(), amount);
                Ok(())
            }
            Self::Count { planes } => {
                closed(&tenant)?;
                for plane in planes {
                    progress.amounts.insert(plane.clone(), find(control, plane)?.count(&tenant).await?);
                }
                Ok(())
            }
            Self::CopySettings { from } => {
                let from = control.catalog().by_id(*from).await?.ok_or(StepError::Gone(*from))?;
                let amendment = with_settings(&tenant, &settings_of(control, &from, &tenant)?);
                if !amendment.settings.is_empty() {
                    control.catalog().amend(id, &amendment, None).await?;
                }
                Ok(())
            }
            Self::Erase { plane } => {
                closed(&tenant)?;
                let amount = find(control, plane)?.erase(&tenant).await?;
                // What an attempt removed before it was killed was counted before that.
                let counted = progress.amounts.entry(plane.clone()).or_default();
                counted.items = counted.items.max(amount.items);
                counted.bytes = counted.bytes.max(amount.bytes);
                Ok(())
            }
            Self::Import { planes } => import::bring(control, &tenant, planes, run.brought, progress).await,
            Self::Migrate => migrate::take(control, &tenant, progress).await,
            Self::Move { leg, from, to } => moving::take(*leg, control, &tenant, (from, to), progress).await,
            Self::Prove { planes } => prove(control, &tenant, planes, progress).await,
            Self::Renew => {
                let renewed = Amendment { new_epoch: true, ..with_settings(&tenant, &Overrides::default()) };
                control.catalog().amend(id, &renewed, None).await?;
                Ok(())
            }
            // Whoever has marked it as deleting meanwhile is heard.
            Self::Open { .. } if tenant.status != Status::Provisioning => Ok(()),
            Self::Open { suspended } => {
                set(control, &tenant, if *suspended { Status::Suspended } else { Status::Active }).await
            }
            Self::Forget => match control.ledger().forget(operation.id, &run.worker).await {
                Err(LedgerError::Catalog(CatalogError::NotFound { .. })) | Ok(()) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }
}

impl Leg {
    const fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Copy => "copy rows",
            Self::CatchUp => "catch up",
            Self::Fence => "fence",
            Self::Switch => "switch",
            Self::CleanUp => "clean up",
            Self::Abandon => "abandon",
        }
    }
}

async fn set(control: &Control, tenant: &Tenant, status: Status) -> Result<(), StepError> {
    if tenant.status != status {
        control.catalog().set_status(tenant.id, status).await?;
    }
    Ok(())
}

/// Copies what a tenant has in a plane, and once more when it has moved meanwhile.
async fn copy(control: &Control, plane: &str, from: TenantId, to: &Tenant) -> Result<Amount, StepError> {
    loop {
        let source = control.catalog().by_id(from).await?.ok_or(StepError::Gone(from))?;
        let amount = find(control, plane)?.copy(&source, to).await?;
        match control.is_whole(&source).await? {
            Whole::Yes => return Ok(amount),
            Whole::Perhaps => {}
            Whole::No => return Err(StepError::Unready(source.slug)),
        }
    }
}

/// Nobody erases what is served.
fn closed(tenant: &Tenant) -> Result<(), StepError> {
    match tenant.status {
        Status::Deleting | Status::Provisioning => Ok(()),
        served => Err(StepError::Served(served)),
    }
}

/// What a straggler has written since is removed, once; if there is more then, somebody still works for the tenant.
async fn prove(
    control: &Control,
    tenant: &Tenant,
    planes: &[String],
    progress: &mut Progress,
) -> Result<(), StepError> {
    for name in planes {
        let plane = find(control, name)?;
        if plane.count(tenant).await?.is_nothing() {
            continue;
        }
        *progress.amounts.entry(name.clone()).or_default() += plane.erase(tenant).await?;
        let Amount { items, .. } = plane.count(tenant).await?;
        if items > 0 {
            return Err(StepError::Left { plane: name.clone(), left: items });
        }
    }
    Ok(())
}

pub(super) fn find<'a>(control: &'a Control, name: &str) -> Result<&'a Arc<dyn Plane>, StepError> {
    let plane = control.planes().iter().find(|plane| plane.name() == name);
    plane.ok_or_else(|| StepError::NoPlane(name.to_owned()))
}
