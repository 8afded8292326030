//! Reset: a training tenant is as its template again.

use tenantry_core::{Slug, Status, Tenant};

use super::{procedure::Procedure, run::Ended};
use crate::{Control, DryRun, Foreseen, VerbError, record::ready};

impl Control {
    /// Makes a tenant what its template is: what it had is gone, its jobs included, and so are settings of its own.
    /// It is not served meanwhile. Its name, its plan and its time stay. What was signed for it is void, for its keys are
    /// others: cookies, tokens and links from before are not its own any more.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::NoTemplate`] when it was not made from one.
    pub async fn reset(&self, tenant: &Slug) -> Result<Ended, VerbError> {
        self.operate_on(tenant, |tenant| self.resetting(tenant)).await
    }

    fn resetting(&self, tenant: &Tenant) -> Result<Procedure, VerbError> {
        // One that is closed by a reset of its own is gone on with.
        if tenant.status != Status::Provisioning {
            ready(tenant)?;
        }
        let template = tenant.template.ok_or_else(|| VerbError::NoTemplate { tenant: tenant.slug.clone() })?;
        let suspended = tenant.status == Status::Suspended;
        Ok(Procedure::Reset { template: template.get(), planes: self.names_of_planes(), suspended })
    }
}

impl DryRun<'_> {
    /// What [`Control::reset`] would do.
    ///
    /// # Errors
    ///
    /// Its own, as far as they can be known.
    pub async fn reset(&self, tenant: &Slug) -> Result<Foreseen, VerbError> {
        self.foresee_on(tenant, |tenant| self.control().resetting(tenant)).await
    }
}
