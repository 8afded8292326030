//! Export and import, as verbs.

use std::{
    fmt,
    io::{Read, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde_json::json;
use tenantry_core::{
    Amendment, Amount, Deed, NewTenant, News, Plane, Progress, SettingChange, Slug, Status, Subject, Tenant,
};

use super::{
    moving::ROWS,
    procedure::{Intent, Procedure},
    run::Ended,
    source::Whole,
    step::{StepError, find},
};
use crate::{
    Control, DryRun, Foreseen, VerbError,
    archive::{self, Imported, Options, Portable, Summary},
    record::check_plan,
    with_causes,
};

/// What only the one who began an operation has: the archive.
#[derive(Default)]
pub(super) struct Brought<'a> {
    archive: Mutex<Option<(Box<dyn Read + Send>, Options<'a>)>>,
    summary: Mutex<Option<Summary>>,
}

impl Control {
    /// Writes what a tenant has into a file. See [`archive`]. It may be served meanwhile, and one that is being deleted can
    /// be exported as well, as long as its data is there.
    ///
    /// # Errors
    ///
    /// [`VerbError::Archive`], and there is no file, or the one that was there before.
    pub async fn export(&self, tenant: &Slug, file: &Path, how: Options<'_>) -> Result<Summary, VerbError> {
        let (tenant, portable) = self.exported(tenant).await?;
        self.announce_export(&tenant).await;
        let is_whole = self.is_exported_whole(&tenant);
        let summary = archive::export_if(&tenant, portable.parts(), file, how, is_whole).await?;
        self.note_export(&tenant, &summary).await?;
        Ok(summary)
    }

    /// The same into anything that bytes can be written to, which it gives back.
    ///
    /// # Errors
    ///
    /// [`VerbError::Archive`]; what was written is no archive then.
    pub async fn export_to<W: Write + Send + 'static>(
        &self,
        tenant: &Slug,
        to: W,
        how: Options<'_>,
    ) -> Result<(W, Summary), VerbError> {
        let (tenant, portable) = self.exported(tenant).await?;
        self.announce_export(&tenant).await;
        let (to, summary) = archive::export_to(&tenant, portable.parts(), to, how).await?;
        self.is_exported_whole(&tenant).await?;
        self.note_export(&tenant, &summary).await?;
        Ok((to, summary))
    }

    /// Makes a tenant of an archive. It is not served before all of it is there, and has a name, a plan and an end as `new`
    /// says; only its data is from the archive.
    ///
    /// Whoever goes on with an import that was killed does not have the archive, so what has come is removed.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::Undone`] says what is wrong with the archive, and the tenant is gone again.
    pub async fn import(
        &self,
        new: NewTenant,
        from: impl Read + Send + 'static,
        how: Options<'_>,
    ) -> Result<(Ended, Option<Summary>), VerbError> {
        let (intent, _) = self.importing(new)?;
        let brought = Brought { archive: Mutex::new(Some((Box::new(from), how))), summary: Mutex::default() };
        let ended = self.operate(intent, &brought).await?;
        Ok((ended, brought.summary.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    fn importing(&self, mut new: NewTenant) -> Result<(Intent, &Portable), VerbError> {
        let portable = self.portable().ok_or(VerbError::NotPortable)?;
        check_plan(self.plans(), &new.plan)?;
        let suspended = new.status == Status::Suspended;
        new.status = Status::Provisioning;
        let procedure = Procedure::Import { planes: self.names_of_planes(), suspended };
        Ok((Intent { subject: Subject::New(Box::new(new)), procedure }, portable))
    }

    async fn exported(&self, tenant: &Slug) -> Result<(Tenant, &Portable), VerbError> {
        let tenant = self.find(tenant).await?;
        if tenant.status == Status::Provisioning {
            return Err(VerbError::Provisioning { tenant: tenant.slug });
        }
        Ok((tenant, self.portable().ok_or(VerbError::NotPortable)?))
    }

    async fn is_exported_whole(&self, tenant: &Tenant) -> Result<(), VerbError> {
        match self.is_whole(tenant).await? {
            Whole::Yes => Ok(()),
            Whole::Perhaps | Whole::No => Err(VerbError::Changed { tenant: tenant.slug.clone() }),
        }
    }

    /// Tells whoever listens how many rows and uploads there are. How far it is, the options tell.
    async fn announce_export(&self, tenant: &Tenant) {
        if !self.listener().is_there() {
            return;
        }
        self.listener().tell(News::Step { name: "export", number: 1, of: 1 });
        let mut items = 0_u64;
        for plane in self.planes().iter().filter(|plane| [ROWS, UPLOADS].contains(&plane.name())) {
            items = items.saturating_add(plane.count(tenant).await.map_or(0, |amount| amount.items));
        }
        self.listener().tell(News::Expected(items));
    }

    /// Who has taken a tenant's data is worth knowing.
    async fn note_export(&self, tenant: &Tenant, summary: &Summary) -> Result<(), VerbError> {
        let rows: u64 = summary.rows.iter().sum();
        let detail = json!({ "rows": rows, "uploads": summary.uploads }).to_string();
        let deed = Deed { verb: EXPORTED.to_owned(), tenant: Some(tenant.id), slug: Some(tenant.slug.clone()), detail };
        let act = self.audit().act();
        self.audit().note(act, &deed).await?;
        Ok(())
    }
}

impl DryRun<'_> {
    /// What [`Control::import`] would do. All of the archive is read, and what is in it looked at as an import does.
    ///
    /// # Errors
    ///
    /// Its own, as far as they can be known; [`VerbError::WouldFail`] says what is wrong with the archive.
    pub async fn import(
        &self,
        new: NewTenant,
        from: impl Read + Send + 'static,
        how: Options<'_>,
    ) -> Result<(Foreseen, Summary), VerbError> {
        let slug = new.slug.clone();
        let (intent, portable) = self.control().importing(new)?;
        let verb = intent.procedure.verb();
        let mut foreseen = self.foresee(intent).await?;
        let Some(tenant) = &foreseen.after else { return Err(VerbError::Unknown { tenant: slug }) };
        let checked = archive::check(tenant, portable, from, how).await;
        let Imported { summary, settings } =
            checked.map_err(|error| VerbError::WouldFail { verb, tenant: slug, problem: with_causes(&error) })?;
        foreseen.copied.extend(amounts(&summary));
        foreseen.then(|tenant| tenant.settings = settings);
        Ok((foreseen, summary))
    }
}

fn amounts(summary: &Summary) -> [(String, Amount); 2] {
    let rows = Amount::items(summary.rows.iter().sum());
    let uploads = Amount { items: summary.uploads, bytes: summary.upload_bytes };
    [(ROWS.to_owned(), rows), (UPLOADS.to_owned(), uploads)]
}

/// Fills a tenant with what is in the archive.
pub(super) async fn bring(
    control: &Control,
    tenant: &Tenant,
    planes: &[String],
    brought: &Brought<'_>,
    progress: &mut Progress,
) -> Result<(), StepError> {
    let archive = brought.archive.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ((from, how), portable) = archive.zip(control.portable()).ok_or(StepError::NoArchive)?;
    let mut emptied: Vec<&dyn Plane> = Vec::new();
    for plane in planes {
        emptied.push(&**find(control, plane)?);
    }
    let imported = archive::import(tenant, portable.parts(), &emptied, from, how).await?;
    let summary = imported.summary;
    let settings = imported.settings.iter();
    let settings = settings.map(|(path, value)| SettingChange { path: path.clone(), value: Some(value.clone()) });
    let settings = Amendment { settings: settings.collect(), ..Amendment::default() };
    control.catalog().amend(tenant.id, &settings, None).await?;
    progress.amounts.extend(amounts(&summary));
    *brought.summary.lock().unwrap_or_else(PoisonError::into_inner) = Some(summary);
    Ok(())
}

impl fmt::Debug for Brought<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brought").finish_non_exhaustive()
    }
}

/// As the plane calls them.
const UPLOADS: &str = "uploads";

/// The word in the audit log.
const EXPORTED: &str = "exported";
