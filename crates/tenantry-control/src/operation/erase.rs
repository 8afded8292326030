//! Erase: everything that a tenant has, and its record.

use std::time::{Duration, SystemTime};

use tenantry_core::{Amendment, CatalogError, Operation, Slug, Status, Tenant};

use super::{procedure::Procedure, run::Ended};
use crate::{
    Changed, Control, DryRun, Foreseen, VerbError,
    time::{in_calendar, utc_or_why_not},
};

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
    /// [`VerbError`]; [`VerbError::TooLong`] when no calendar has that time.
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
        self.may_be_forgotten(tenant).await?;
        self.operate_on(tenant, |tenant| self.erasing(tenant, when)).await
    }

    fn erasing(&self, tenant: &Tenant, when: Erasing) -> Result<Procedure, VerbError> {
        deleting(tenant)?;
        let due = tenant.erase_at.filter(|at| *at > SystemTime::now());
        if let (Some(at), Erasing::WhenDue) = (due, when) {
            return Err(VerbError::EraseLater { tenant: tenant.slug.clone(), erase_at: utc_or_why_not(at) });
        }
        Ok(Procedure::Erase { planes: self.names_of_planes() })
    }
}

impl Control {
    /// Whether the record of a tenant may be removed, with nothing else that it has ([`Catalog::remove`]): refuses what that
    /// would refuse.
    ///
    /// # Errors
    ///
    /// [`VerbError::NotDeleting`]; [`CatalogError::IsTemplate`] in it when others have their settings from the tenant;
    /// [`CatalogError::Busy`] in it when something is being done to it.
    ///
    /// [`Catalog::remove`]: tenantry_core::Catalog::remove
    pub async fn check_forget(&self, tenant: &Slug) -> Result<Tenant, VerbError> {
        let tenant = self.may_be_forgotten(tenant).await?;
        match self.ledger().of(tenant.id).await? {
            None => Ok(tenant),
            Some(Operation { id: operation, verb, .. }) => {
                Err(CatalogError::Busy { id: tenant.id, verb, operation }.into())
            }
        }
    }

    /// A record is only removed when nobody else has settings from it. Otherwise this would be found out at the end, when
    /// everything but the record is gone.
    pub(super) async fn may_be_forgotten(&self, tenant: &Slug) -> Result<Tenant, VerbError> {
        let tenant = self.find(tenant).await?;
        deleting(&tenant)?;
        let id = tenant.id;
        if self.catalog().is_template(id).await? { Err(CatalogError::IsTemplate { id }.into()) } else { Ok(tenant) }
    }
}

fn deleting(tenant: &Tenant) -> Result<(), VerbError> {
    match tenant.status {
        Status::Deleting => Ok(()),
        _ => Err(VerbError::NotDeleting { tenant: tenant.slug.clone() }),
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
        self.control().may_be_forgotten(tenant).await?;
        self.foresee_on(tenant, |tenant| self.control().erasing(tenant, when)).await
    }
}

fn deleted(tenant: &Tenant, grace: Duration, now: SystemTime) -> Result<Amendment, VerbError> {
    if tenant.status == Status::Deleting && tenant.erase_at.is_some() {
        return Ok(Amendment::default());
    }
    let at = now
        .checked_add(grace)
        .and_then(in_calendar)
        .ok_or_else(|| VerbError::TooLong { tenant: tenant.slug.clone() })?;
    Ok(Amendment { status: Some(Status::Deleting), erase_at: Some(Some(at)), ..Amendment::default() })
}
