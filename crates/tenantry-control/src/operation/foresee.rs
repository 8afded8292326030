//! What an operation would do, step by step. Nothing is written.

use std::time::SystemTime;

use tenantry_core::{
    Amount, Copying, LedgerError, Operation, Overrides, Revision, Slug, Status, Subject, Tenant, TenantId,
};

use super::{
    clone::settings_of,
    moving::ROWS,
    procedure::{Intent, Procedure},
    step::{Leg, Step, StepError, find},
};
use crate::{Control, DryRun, Foreseen, VerbError, with_causes};

impl DryRun<'_> {
    /// What would become of a tenant that there is.
    pub(super) async fn foresee_on(
        &self,
        slug: &Slug,
        decide: impl Fn(&Tenant) -> Result<Procedure, VerbError>,
    ) -> Result<Foreseen, VerbError> {
        let tenant = self.control().find(slug).await?;
        let procedure = decide(&tenant)?;
        self.foresee(Intent { subject: Subject::Existing(tenant.id, tenant.revision), procedure }).await
    }

    /// What would become of a tenant.
    pub(super) async fn foresee(&self, Intent { subject, procedure }: Intent) -> Result<Foreseen, VerbError> {
        let control = self.control();
        let mut foreseen = match subject {
            Subject::Existing(id, _) => {
                let tenant = control.catalog().by_id(id).await?;
                let unfinished = self.unfinished(id).await?;
                Foreseen { before: tenant.clone(), after: tenant, unfinished, ..Foreseen::default() }
            }
            Subject::New(new) => {
                self.are_free(std::iter::once(&new.slug).chain(&new.aliases), None).await?;
                let tenant = new.into_tenant(TenantId::new(0), SystemTime::now(), Revision::new(0));
                Foreseen { after: Some(tenant), ..Foreseen::default() }
            }
        };
        let Some(tenant) = foreseen.before.as_ref().or(foreseen.after.as_ref()) else { return Ok(foreseen) };
        let tenant = tenant.slug.clone();
        for step in procedure.forth() {
            if let Err(error) = step.foresee(self, &mut foreseen).await {
                return Err(VerbError::WouldFail { verb: procedure.verb(), tenant, problem: with_causes(&error) });
            }
            foreseen.steps.push(step.name());
        }
        Ok(foreseen)
    }

    /// What was abandoned of a tenant, and would be gone on with first.
    async fn unfinished(&self, id: TenantId) -> Result<Option<Operation>, VerbError> {
        match self.control().ledger().of(id).await? {
            Some(operation) if operation.leased_until > SystemTime::now() => Err(LedgerError::busy(operation).into()),
            found => Ok(found),
        }
    }
}

impl Step {
    async fn foresee(&self, dry_run: &DryRun<'_>, foreseen: &mut Foreseen) -> Result<(), StepError> {
        let control = dry_run.control();
        let set = |foreseen: &mut Foreseen, status| foreseen.then(|tenant| tenant.status = status);
        match self {
            Self::Close => set(foreseen, Status::Provisioning),
            Self::Open { suspended } => {
                set(foreseen, if *suspended { Status::Suspended } else { Status::Active });
            }
            Self::Copy { plane, from } => copied(control, plane, *from, foreseen).await?,
            Self::CopySettings { from } => {
                let from = control.catalog().by_id(*from).await?.ok_or(StepError::Gone(*from))?;
                let Some(tenant) = &mut foreseen.after else { return Ok(()) };
                tenant.settings = settings_of(control, &from, tenant)?;
            }
            Self::Erase { plane } => removed(control, plane, foreseen).await?,
            Self::Move { leg: Leg::Copy, .. } => moved(control, foreseen).await?,
            Self::Move { leg: Leg::Switch, from, to } => {
                let placement = to.parse().map_err(|_| StepError::NotMovable { from: from.clone(), to: to.clone() })?;
                foreseen.then(|tenant| tenant.placement = placement);
            }
            Self::Renew => foreseen.then(|tenant| {
                tenant.settings = Overrides::default();
                tenant.epoch = tenant.epoch.saturating_add(1);
            }),
            Self::Forget => foreseen.after = None,
            // What the archive has is counted when it is read, and migrations are looked at by a verb of their own.
            Self::Count { .. }
            | Self::Import { .. }
            | Self::Migrate
            | Self::Move { .. }
            | Self::Prove { .. }
            | Self::Settle => {}
        }
        Ok(())
    }
}

async fn copied(control: &Control, name: &str, from: TenantId, foreseen: &mut Foreseen) -> Result<(), StepError> {
    let from = control.catalog().by_id(from).await?.ok_or(StepError::Gone(from))?;
    let plane = find(control, name)?;
    if plane.copying() == Copying::Everything {
        foreseen.copied.insert(name.to_owned(), plane.count(&from).await?);
    }
    if plane.copying() != Copying::Leaves {
        removed(control, name, foreseen).await?;
    }
    Ok(())
}

async fn removed(control: &Control, name: &str, foreseen: &mut Foreseen) -> Result<(), StepError> {
    let plane = find(control, name)?;
    if let Some(tenant) = &foreseen.before {
        foreseen.removed.insert(name.to_owned(), plane.count(tenant).await?);
    }
    Ok(())
}

async fn moved(control: &Control, foreseen: &mut Foreseen) -> Result<(), StepError> {
    let rows = control.planes().iter().find(|plane| plane.name() == ROWS);
    if let (Some(rows), Some(tenant)) = (rows, &foreseen.before) {
        // What takes the bytes here is not what takes them there.
        let Amount { items, .. } = rows.count(tenant).await?;
        foreseen.copied.insert(ROWS.to_owned(), Amount::items(items));
    }
    Ok(())
}
