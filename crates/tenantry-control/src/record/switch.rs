//! Suspend and resume.

use std::time::SystemTime;

use tenantry_core::{Slug, Status};

use super::{not_deleting, ready};
use crate::{Changed, Control, VerbError};

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
        self.change(tenant, |tenant| ready(tenant).map(|()| Status::Suspended.into())).await
    }

    /// Switches a tenant on again.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::Expired`] when the tenant would still be expired by the clock.
    pub async fn resume(&self, tenant: &Slug, deleted: Deleted) -> Result<Changed, VerbError> {
        self.change(tenant, |tenant| {
            match tenant.status {
                Status::Deleting if deleted == Deleted::NotYet => {}
                Status::Provisioning => ready(tenant)?,
                _ => not_deleting(tenant)?,
            }
            if tenant.expires_at.is_some_and(|end| end <= SystemTime::now()) {
                return Err(VerbError::Expired { tenant: tenant.slug.clone() });
            }
            Ok(Status::Active.into())
        })
        .await
    }
}
