//! What the verbs need, and how a record is changed.

use std::{fmt, sync::Arc};

use tenantry_core::{Amendment, Catalog, CatalogError, Plans, Slug, Tenant};

use crate::VerbError;

/// Looks after the tenants of a deployment.
///
/// Two callers may do things to one tenant at the same time: each verb looks at the record, decides, and changes it only if it
/// is still the one that was looked at; else it looks again.
#[derive(Clone)]
pub struct Control {
    catalog: Arc<dyn Catalog>,
    plans: Plans,
}

/// What a verb has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Whether anything is different now.
    pub changed: bool,
    /// The tenant, as it is now.
    pub tenant: Tenant,
}

impl Control {
    /// Verbs on the tenants of this catalog, who are on these plans.
    pub fn new(catalog: Arc<dyn Catalog>, plans: Plans) -> Self {
        Self { catalog, plans }
    }

    pub(crate) fn plans(&self) -> &Plans {
        &self.plans
    }

    /// Changes a tenant's record as `decide` says, who sees it as it is. Nothing to do is not written.
    pub(crate) async fn change(
        &self,
        slug: &Slug,
        decide: impl Fn(&Tenant) -> Result<Amendment, VerbError>,
    ) -> Result<Changed, VerbError> {
        loop {
            let tenant = self.catalog.by_slug(slug).await?;
            let tenant = tenant.ok_or_else(|| VerbError::Unknown { tenant: slug.clone() })?;
            let amendment = decide(&tenant)?;
            if amendment.of(&tenant).map_err(CatalogError::from)? == tenant {
                return Ok(Changed { changed: false, tenant });
            }
            match self.catalog.amend(tenant.id, &amendment, Some(tenant.revision)).await {
                Ok(tenant) => return Ok(Changed { changed: true, tenant }),
                // Somebody else's change is later than what was decided on. Each time round, somebody has got on.
                Err(CatalogError::Changed { .. }) => {}
                // It was removed meanwhile.
                Err(CatalogError::NotFound { .. }) => return Err(VerbError::Unknown { tenant: slug.clone() }),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("plans", &self.plans).finish_non_exhaustive()
    }
}
