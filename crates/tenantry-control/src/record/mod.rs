//! The verbs that change nothing but a tenant's record. A running server follows within a second.
//!
//! | the tenant is | suspend | resume | extend | expire | promote | rename |
//! |---|---|---|---|---|---|---|
//! | active | suspends | nothing to do | moves its end | ends now | changes the plan | renames |
//! | suspended | nothing to do | activates | moves its end | ends now | changes the plan | renames |
//! | expired by its record | suspends | activates | activates | nothing to do | activates | renames |
//! | expired by the clock | suspends | refused: it would still be expired | activates | nothing to do | activates | renames |
//! | deleting | refused | refused, unless its data is said to be there | refused | refused | refused | refused |
//! | provisioning | refused | refused | moves its end | refused | changes the plan | renames |
//!
//! *Activates*: it is served again, unless it was suspended.

mod promote;
mod rename;
mod switch;
mod time;

use tenantry_core::{Status, Tenant};

pub use self::{promote::check_plan, rename::Former, switch::Deleted};
use crate::VerbError;

/// A tenant that is on its way out is left alone.
fn not_deleting(tenant: &Tenant) -> Result<(), VerbError> {
    match tenant.status {
        Status::Deleting => Err(VerbError::Deleting { tenant: tenant.slug.clone() }),
        _ => Ok(()),
    }
}

/// So is one that is not ready yet.
pub(crate) fn ready(tenant: &Tenant) -> Result<(), VerbError> {
    match tenant.status {
        Status::Provisioning => Err(VerbError::Provisioning { tenant: tenant.slug.clone() }),
        _ => not_deleting(tenant),
    }
}

/// The status of a tenant that has time again.
fn with_time(tenant: &Tenant) -> Option<Status> {
    (tenant.status == Status::Expired).then_some(Status::Active)
}
