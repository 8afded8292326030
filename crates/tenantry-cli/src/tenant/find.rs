//! From a name that was typed to a tenant.

use tenantry::{CatalogError, CatalogStore, Code, Slug, Tenant};

use crate::{deployment::Deployment, failure::Failure};

/// The tenant with this slug or alias. Where there is none, the hint has the name that was probably meant.
pub(crate) async fn find(deployment: &Deployment, catalog: &CatalogStore, slug: &Slug) -> Result<Tenant, Failure> {
    let failed = |error| deployment.failed(error);
    if let Some(tenant) = catalog.by_slug(slug).await.map_err(failed)? {
        return Ok(tenant);
    }
    let failure = Failure::refused(Code::TenantUnknown, format!("no tenant is called {slug}"));
    Err(match similar(catalog, slug).await.map_err(failed)? {
        Some(meant) => failure.hint(format!("did you mean {meant}?")),
        None => failure,
    })
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
