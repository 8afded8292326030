//! Extend and expire.

use std::time::{Duration, SystemTime};

use tenantry_core::{Amendment, Slug, Status, Tenant};

use super::{not_deleting, ready, with_time};
use crate::{Changed, Control, DryRun, Foreseen, VerbError, time::in_calendar};

impl Control {
    /// Gives a tenant more time: from its end on, or from now on where that is later. One that never expires has no end to be
    /// moved, and is left as it is.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::TooLong`] when no calendar has that end.
    pub async fn extend(&self, tenant: &Slug, by: Duration) -> Result<Changed, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| extended(tenant, by, now)).await
    }

    /// Ends a tenant's time now; its data stays.
    ///
    /// # Errors
    ///
    /// [`VerbError`].
    pub async fn expire(&self, tenant: &Slug) -> Result<Changed, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| expired(tenant, now)).await
    }
}

impl DryRun<'_> {
    /// What [`Control::extend`] would do.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn extend(&self, tenant: &Slug, by: Duration) -> Result<Foreseen, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| extended(tenant, by, now)).await
    }

    /// What [`Control::expire`] would do.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn expire(&self, tenant: &Slug) -> Result<Foreseen, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| expired(tenant, now)).await
    }
}

fn extended(tenant: &Tenant, by: Duration, now: SystemTime) -> Result<Amendment, VerbError> {
    not_deleting(tenant)?;
    // One that was expired by hand begins anew.
    let end = match (tenant.expires_at, tenant.status) {
        (Some(end), _) => end.max(now),
        (None, Status::Expired) => now,
        (None, _) => return Ok(Amendment::default()),
    };
    let end = end.checked_add(by).and_then(in_calendar);
    let end = end.ok_or_else(|| VerbError::TooLong { tenant: tenant.slug.clone() })?;
    Ok(Amendment { status: with_time(tenant), expires_at: Some(Some(end)), ..Amendment::default() })
}

fn expired(tenant: &Tenant, now: SystemTime) -> Result<Amendment, VerbError> {
    ready(tenant)?;
    if tenant.status == Status::Expired || tenant.expires_at.is_some_and(|end| end <= now) {
        return Ok(Amendment::default());
    }
    Ok(Amendment { expires_at: Some(Some(now)), ..Amendment::default() })
}
