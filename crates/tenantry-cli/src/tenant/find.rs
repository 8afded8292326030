//! From a name that was typed to a tenant.

use tenantry::{CatalogError, CatalogStore, Code, Slug, Tenant};

use crate::{deployment::Deployment, failure::Failure};

/// The tenant with this slug or alias. Where there is none, the hint has the name that was probably meant.
pub(crate) async fn find(deployment: &Deployment, catalog: &CatalogStore, slug: &Slug) -> Result<Tenant, Failure> {
    match catalog.by_slug(slug).await.map_err(|error| deployment.failed(error))? {
        Some(tenant) => Ok(tenant),
        None => Err(unknown(deployment, catalog, slug).await),
    }
}

/// That there is no such tenant, and which one was probably meant.
pub(super) async fn unknown(deployment: &Deployment, catalog: &CatalogStore, slug: &Slug) -> Failure {
    let failure = Failure::refused(Code::TenantUnknown, format!("no tenant is called {slug}"));
    match similar(catalog, slug).await {
        Ok(Some(meant)) => failure.hint(format!("did you mean {meant}?")),
        Ok(None) => failure,
        Err(error) => deployment.failed(error),
    }
}

/// The name that is closest, among the first tenants, and close enough.
async fn similar(catalog: &CatalogStore, slug: &Slug) -> Result<Option<Slug>, CatalogError> {
    let tenants = catalog.page(None, SEARCHED_MAX).await?;
    let names = tenants.into_iter().flat_map(|tenant| std::iter::once(tenant.slug).chain(tenant.aliases));
    let rated = names.map(|name| (strsim::osa_distance(slug.as_str(), name.as_str()), name));
    let close = rated.filter(|(distance, name)| *distance <= name.as_str().len().min(slug.as_str().len()).div_ceil(3));
    Ok(close.min_by_key(|(distance, _)| *distance).map(|(_, name)| name))
}

/// Tenants that are looked at for a name that is close.
const SEARCHED_MAX: u32 = 10_000;
