//! From a name that was typed to a tenant's users.

use tenantry::{
    Slug, Unscoped,
    directory::{LocalUserError, TenantUsers},
};

use crate::{deployment::Deployment, failure::Failure, tenant::find};

/// A tenant's users.
pub(super) struct Local<'a> {
    deployment: &'a Deployment,
    /// The tenant, by the name that it has.
    pub(super) tenant: Slug,
    pub(super) users: TenantUsers,
}

impl<'a> Local<'a> {
    pub(super) async fn open(deployment: &'a Deployment, slug: &Slug) -> Result<Self, Failure> {
        let catalog = deployment.catalog().await?;
        let tenant = find(deployment, &catalog, slug).await?;
        let local = deployment.local_users().await?;
        let why = Unscoped::on(tenant.id, "an administrator looks after a tenant's users");
        let users = local.of(&tenant, deployment.note(&catalog, &tenant, why).await?);
        Ok(Self { deployment, tenant: tenant.slug, users })
    }

    /// A failure of the store, with a hint where that is; or that of what was asked.
    pub(super) fn failed(&self, error: LocalUserError) -> Failure {
        self.deployment.users_failed(error)
    }
}
