//! Suspend and resume.

use std::time::SystemTime;

use tenantry_core::{Amendment, Slug, Status, Tenant};

use super::{not_deleting, ready};
use crate::{Changed, Control, DryRun, Foreseen, VerbError};

/// What is known of a tenant that was marked as deleting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// Its data may be gone: it is not switched on.
    Perhaps,
    /// Its data is still there: the mark is taken back.
    NotYet,
}

impl Control {
    /// Switches a tenant off; its data stays.
    ///
    /// # Errors
    ///
    /// [`VerbError`].
    pub async fn suspend(&self, tenant: &Slug) -> Result<Changed, VerbError> {
        self.change(tenant, suspended).await
    }

    /// Switches a tenant on again.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::Expired`] when the tenant would still be expired by the clock.
    pub async fn resume(&self, tenant: &Slug, deleted: Deleted) -> Result<Changed, VerbError> {
        self.change(tenant, |tenant| resumed(tenant, deleted)).await
    }
}

impl DryRun<'_> {
    /// What [`Control::suspend`] would do.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn suspend(&self, tenant: &Slug) -> Result<Foreseen, VerbError> {
        self.change(tenant, suspended).await
    }

    /// What [`Control::resume`] would do.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn resume(&self, tenant: &Slug, deleted: Deleted) -> Result<Foreseen, VerbError> {
        self.change(tenant, |tenant| resumed(tenant, deleted)).await
    }
}

fn suspended(tenant: &Tenant) -> Result<Amendment, VerbError> {
    ready(tenant)?;
    Ok(Status::Suspended.into())
}

fn resumed(tenant: &Tenant, deleted: Deleted) -> Result<Amendment, VerbError> {
    match tenant.status {
        Status::Deleting if deleted == Deleted::NotYet => {}
        Status::Provisioning => ready(tenant)?,
        _ => not_deleting(tenant)?,
    }
    if tenant.expires_at.is_some_and(|end| end <= SystemTime::now()) {
        return Err(VerbError::Expired { tenant: tenant.slug.clone() });
    }
    Ok(Amendment { status: Some(Status::Active), erase_at: Some(None), ..Amendment::default() })
}
