//! Extend and expire.

use std::time::{Duration, SystemTime};

use tenantry_core::{Amendment, Slug, Status};

use super::{not_deleting, ready, with_time};
use crate::{Changed, Control, VerbError};

impl Control {
    /// Gives a tenant more time: from its end on, or from now on where that is later. One that never expires has no end to be
    /// moved, and is left as it is.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::TooLong`] when no clock can tell that end.
    pub async fn extend(&self, tenant: &Slug, by: Duration) -> Result<Changed, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| {
            not_deleting(tenant)?;
            // One that was expired by hand begins anew.
            let end = match (tenant.expires_at, tenant.status) {
                (Some(end), _) => end.max(now),
                (None, Status::Expired) => now,
                (None, _) => return Ok(Amendment::default()),
            };
            let end = end.checked_add(by).filter(|end| *end <= now + LIFETIME_MAX);
            let end = end.ok_or_else(|| VerbError::TooLong { tenant: tenant.slug.clone() })?;
            Ok(Amendment { status: with_time(tenant), expires_at: Some(Some(end)), ..Amendment::default() })
        })
        .await
    }

    /// Ends a tenant's time now; its data stays.
    ///
    /// # Errors
    ///
    /// [`VerbError`].
    pub async fn expire(&self, tenant: &Slug) -> Result<Changed, VerbError> {
        let now = SystemTime::now();
        self.change(tenant, |tenant| {
            ready(tenant)?;
            let over = tenant.status == Status::Expired || tenant.expires_at.is_some_and(|end| end <= now);
            Ok(if over {
                Amendment::default()
            } else {
                Amendment { expires_at: Some(Some(now)), ..Amendment::default() }
            })
        })
        .await
    }
}

/// The furthest end: a thousand years.
const LIFETIME_MAX: Duration = Duration::from_secs(1000 * 366 * 24 * 60 * 60);
