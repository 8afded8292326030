//! A tenant's record: identity, status, placement.

use std::{fmt, str::FromStr, time::SystemTime};

use thiserror::Error;

use crate::{Overrides, PlanName, Slug};

/// The internal key of a tenant: never reused, never shown to tenants.
///
/// It is what separates rows, cache keys and files, so it is an integer that no user chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(i64);

impl TenantId {
    /// The id with this number, as a catalog stored it.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// The number itself, to store or to bind.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts the changes to one tenant's record, so that two copies of it can be told apart and ordered.
///
/// Revisions are drawn from the catalog's version ([`crate::CatalogVersion`]): a later record has the greater revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(i64);

impl Revision {
    /// The revision with this number, as a catalog stored it.
    pub const fn new(revision: i64) -> Self {
        Self(revision)
    }

    /// The number itself.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// One customer whose data must not mix with another's, as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tenant {
    /// The internal key.
    pub id: TenantId,
    /// The public name.
    pub slug: Slug,
    /// Former or additional public names; no other tenant can have one of them.
    pub aliases: Vec<Slug>,
    /// Whether the tenant may be served.
    pub status: Status,
    /// The name of the plan that holds the tenant's limits.
    pub plan: PlanName,
    /// Where the tenant's rows live.
    pub placement: Placement,
    /// When the tenant was created.
    pub created_at: SystemTime,
    /// From this time on the tenant counts as expired, whatever its status says.
    pub expires_at: Option<SystemTime>,
    /// From when on what it has may be erased, if it is being deleted.
    pub erase_at: Option<SystemTime>,
    /// Counts how often it was begun anew. The keys that sign and seal for it depend on it: what was signed before is void.
    pub epoch: u32,
    /// What is set for this tenant and stands over what its plan and its template say.
    pub settings: Overrides,
    /// The tenant whose settings are this one's where it has none of its own.
    pub template: Option<TenantId>,
    /// Whether somebody is only trying it, or will be: some time after its end it is erased, unless it has become a customer.
    pub trial: bool,
    /// Which version of the record this is.
    pub revision: Revision,
}

impl Tenant {
    /// A tenant that is active, on the plan `default`, in the shared tables, and never expires.
    ///
    /// Catalogs fill in what they have stored; tests take it as it is.
    ///
    /// ```
    /// use tenantry_core::{Status, Tenant, TenantId};
    ///
    /// let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
    /// assert_eq!(acme.status, Status::Active);
    /// # Ok::<(), tenantry_core::SlugError>(())
    /// ```
    pub fn new(id: TenantId, slug: Slug) -> Self {
        Self {
            id,
            slug,
            aliases: Vec::new(),
            status: Status::Active,
            plan: PlanName::default(),
            placement: Placement::default(),
            created_at: SystemTime::UNIX_EPOCH,
            expires_at: None,
            erase_at: None,
            epoch: 0,
            settings: Overrides::default(),
            template: None,
            trial: false,
            revision: Revision::default(),
        }
    }

    /// The status right now: an active tenant whose time is up is expired.
    pub fn status_now(&self) -> Status {
        // Most tenants never expire, and need no look at the clock.
        match (self.status, self.expires_at) {
            (Status::Active, Some(end)) if end <= SystemTime::now() => Status::Expired,
            (status, _) => status,
        }
    }
}

/// Whether a tenant may be served. Only [`Status::Active`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Served.
    Active,
    /// On its way out; its data may be gone at any time.
    Deleting,
    /// Its time is up.
    Expired,
    /// Not ready yet.
    Provisioning,
    /// Switched off by an administrator; its data stays.
    Suspended,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Active, Self::Deleting, Self::Expired, Self::Provisioning, Self::Suspended];

    /// The word for it, as stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleting => "deleting",
            Self::Expired => "expired",
            Self::Provisioning => "provisioning",
            Self::Suspended => "suspended",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(StatusError(()))
    }
}

/// A text that is no [`Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a status is one of active, deleting, expired, provisioning, suspended")]
pub struct StatusError(());

/// Where a tenant's rows live.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// A database of the tenant's own.
    Dedicated,
    /// The tables that tenants share, separated by the tenant column.
    #[default]
    Shared,
}

impl Placement {
    /// The word for it, as stored and shown.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Dedicated => "dedicated",
            Self::Shared => "shared",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Placement {
    type Err = PlacementError;

    fn from_str(text: &str) -> Result<Self, PlacementError> {
        match text {
            "dedicated" => Ok(Self::Dedicated),
            "shared" => Ok(Self::Shared),
            _ => Err(PlacementError(())),
        }
    }
}

/// A text that is no [`Placement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a placement is one of dedicated, shared")]
pub struct PlacementError(());

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn words_survive_a_round_trip() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for placement in [Placement::Dedicated, Placement::Shared] {
            assert_eq!(placement.as_str().parse(), Ok(placement));
        }
        assert!("Active".parse::<Status>().is_err());
        assert!("".parse::<Placement>().is_err());
    }

    #[test]
    fn an_active_tenant_expires_by_the_clock() {
        let mut tenant = Tenant::new(TenantId::new(1), "acme".parse().unwrap());
        tenant.expires_at = Some(SystemTime::now() + Duration::from_secs(60));
        assert_eq!(tenant.status_now(), Status::Active);
        tenant.expires_at = Some(SystemTime::now());
        assert_eq!(tenant.status_now(), Status::Expired);
        tenant.status = Status::Suspended;
        assert_eq!(tenant.status_now(), Status::Suspended, "an administrator's word outlasts the clock");
    }
}
