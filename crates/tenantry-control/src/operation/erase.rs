//! Erase: everything that a tenant has, and its record.

use std::time::{Duration, SystemTime};

use tenantry_core::{Amendment, CatalogError, Slug, Status, Subject, Tenant, TenantId};

use super::{
    procedure::{Intent, Procedure},
    run::Ended,
};
use crate::{Changed, Control, DryRun, Foreseen, VerbError};

/// When a tenant that is marked as deleting may be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasing {
    /// When the time that was given is over.
    WhenDue,
    /// At once.
    Now,
}

impl Control {
    /// Marks a tenant as deleting: it is not served any more, and what it has may be erased after `grace`. Until then the mark
    /// can be taken back ([`Control::resume`]). A mark that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::TooLong`] when no clock can tell that time.
    pub async fn delete(&self, tenant: &Slug, grace: Duration) -> Result<Changed, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| deleted(tenant, grace, now)).await
    }

    /// Removes everything that a tenant has, which is marked as deleting: in each plane, proved by counting afterwards; then
    /// its record, so that its names are free. How much there was is in the operation.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::EraseLater`] when its time has not come; [`CatalogError::IsTemplate`] in it when others have
    /// their settings from the tenant; [`VerbError::Unfinished`] when a plane is away: what
    /// is left is erased the next time.
    pub async fn erase(&self, tenant: &Slug, when: Erasing) -> Result<Ended, VerbError> {
        self.operate(self.erasing(tenant, when).await?).await
    }

    async fn erasing(&self, tenant: &Slug, when: Erasing) -> Result<Intent, VerbError> {
        let tenant = self.find(tenant).await?;
        if tenant.status != Status::Deleting {
            return Err(VerbError::NotDeleting { tenant: tenant.slug });
        }
        let due = tenant.erase_at.filter(|at| *at > SystemTime::now());
        if let (Some(at), Erasing::WhenDue) = (due, when) {
            let erase_at = humantime::format_rfc3339_seconds(at).to_string();
            return Err(VerbError::EraseLater { tenant: tenant.slug, erase_at });
        }
        // At the end of it this would be found out, when everything but the record is gone.
        self.is_no_template(tenant.id).await?;
        let procedure = Procedure::Erase { planes: self.names_of_planes() };
        Ok(Intent { subject: Subject::Existing(tenant.id), procedure })
    }
}

impl Control {
    /// A record is not removed while others have their settings from it.
    pub(crate) async fn is_no_template(&self, id: TenantId) -> Result<(), CatalogError> {
        let mut after = None;
        loop {
            let page = self.catalog().page(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            if page.iter().any(|tenant| tenant.template == Some(id)) {
                return Err(CatalogError::IsTemplate { id });
            }
        }
    }
}

impl DryRun<'_> {
    /// What [`Control::delete`] would do.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn delete(&self, tenant: &Slug, grace: Duration) -> Result<Foreseen, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| deleted(tenant, grace, now)).await
    }

    /// What [`Control::erase`] would do.
    ///
    /// # Errors
    ///
    /// Its own, as far as they can be known.
    pub async fn erase(&self, tenant: &Slug, when: Erasing) -> Result<Foreseen, VerbError> {
        self.foresee(self.control().erasing(tenant, when).await?).await
    }
}

fn deleted(tenant: &Tenant, grace: Duration, now: SystemTime) -> Result<Amendment, VerbError> {
    if tenant.status == Status::Deleting && tenant.erase_at.is_some() {
        return Ok(Amendment::default());
    }
    let at = now.checked_add(grace).ok_or_else(|| VerbError::TooLong { tenant: tenant.slug.clone() })?;
    Ok(Amendment { status: Some(Status::Deleting), erase_at: Some(Some(at)), ..Amendment::default() })
}

/// How many records are read at a time.
const PAGE: u32 = 1000;
