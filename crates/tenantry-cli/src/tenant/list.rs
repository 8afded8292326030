//! `tenantry tenant list`

use std::fmt;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use tenantry::{CatalogError, CatalogStore, Status, Tenant};

use super::report::Report;
use crate::{
    deployment::Deployment,
    failure::Failure,
    output::{Output, table},
};

/// Which tenants to list.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only those that are in this state
    #[arg(long, value_parser = status())]
    status: Option<Status>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

impl List {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut tenants = self.read(&catalog, limit).await.map_err(|error| deployment.failed(error))?;
        let more = tenants.len() > limit;
        tenants.truncate(limit);
        output.print(&Listed { tenants: tenants.iter().map(Report::new).collect(), more })?;
        if more {
            output.hint("there are more; --limit shows them");
        }
        Ok(())
    }

    /// One more than the limit where there is one, to know that there is.
    async fn read(&self, catalog: &CatalogStore, limit: usize) -> Result<Vec<Tenant>, CatalogError> {
        let wanted = |tenant: &Tenant| self.status.is_none_or(|status| tenant.status_now() == status);
        let (mut tenants, mut after) = (Vec::new(), None);
        while tenants.len() <= limit {
            let page = catalog.page(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            tenants.extend(page.into_iter().filter(wanted));
        }
        Ok(tenants)
    }
}

#[derive(Serialize)]
struct Listed {
    tenants: Vec<Report>,
    more: bool,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.tenants.iter().map(row).collect();
        f.write_str(&table(["SLUG", "STATUS", "PLAN", "PLACEMENT", "EXPIRES", "ALIASES"], &rows))
    }
}

fn row(tenant: &Report) -> [String; 6] {
    let day = tenant.expires_at.as_deref().and_then(|time| time.get(..10)).unwrap_or("never");
    [
        tenant.slug.clone(),
        tenant.status.to_owned(),
        tenant.plan.clone(),
        tenant.placement.to_owned(),
        day.to_owned(),
        tenant.aliases.join(","),
    ]
}

fn status() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::as_str)).try_map(|word| word.parse::<Status>())
}

const PAGE: u32 = 1000;
