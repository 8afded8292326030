//! Which settings there are, and what plan and template say.

use tenantry::{
    CatalogStore, MasterKeys, Plans, Slug, Tenant,
    settings::{Described, Overrides, SettingPath, Sourced},
};

use crate::{deployment::Deployment, failure::Failure, tenant::find};

/// The catalog, and which settings the application has.
pub(super) struct Known<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) catalog: CatalogStore,
    pub(super) described: Described,
    plans: Plans,
}

/// A tenant, with what stands below its own settings.
pub(super) struct Layered {
    pub(super) tenant: Tenant,
    pub(super) plan: Overrides,
    pub(super) template: Option<Overrides>,
}

impl<'a> Known<'a> {
    pub(super) async fn open(deployment: &'a Deployment) -> Result<Self, Failure> {
        let catalog = deployment.catalog().await?;
        let described = catalog.described_settings().await.map_err(|error| deployment.failed(error))?;
        let described = described.ok_or_else(|| {
            Failure::other("settings_unknown", "the application has not yet said which settings it has")
                .hint("start it once; it says so by `tenancy.settings::<Own>()`")
        })?;
        let described = Described::from_json(&described).map_err(|_| {
            Failure::other("settings_unknown", "what the application has said of its settings is damaged")
        })?;
        Ok(Self { deployment, catalog, described, plans: deployment.config.plans()? })
    }

    pub(super) async fn tenant(&self, slug: &Slug) -> Result<Layered, Failure> {
        self.layered(find(self.deployment, &self.catalog, slug).await?).await
    }

    pub(super) async fn layered(&self, tenant: Tenant) -> Result<Layered, Failure> {
        let plan = self.plans.get(&tenant.plan).map(|plan| plan.settings.clone()).unwrap_or_default();
        let template = match tenant.template {
            Some(id) => self.catalog.by_id(id).await.map_err(|error| self.deployment.failed(error))?,
            None => None,
        };
        Ok(Layered { tenant, plan, template: template.map(|template| template.settings) })
    }

    /// A tenant's settings; or only the one at a path, with those within it.
    pub(super) fn sourced(&self, of: &Layered, path: Option<&SettingPath>) -> Vec<Sourced> {
        let mut sourced = self.described.sourced(&of.plan, of.template.as_ref(), &of.tenant.settings);
        sourced.retain(|leaf| path.is_none_or(|path| path.includes(&leaf.path)));
        sourced
    }

    pub(super) fn keys(&self) -> Result<MasterKeys, Failure> {
        Ok(self.deployment.config.master_keys()?)
    }
}
