//! `tenantry usage`: what tenants have used, and what their plans allow.

mod allowed;
mod report;

use std::{collections::HashMap, time::Duration};

use clap::ValueEnum;
use tenantry::{CatalogStore, Hour, Slug, Step, Tenant, TenantId, Used};

use self::{
    allowed::allowed,
    report::{Line, Shown},
};
use crate::{
    deployment::Deployment,
    failure::Failure,
    output::Output,
    tenant::{find, lifetime},
};

/// Whose use to show, and of which time.
#[derive(Debug, clap::Args)]
pub(crate) struct Usage {
    /// Only this tenant's, with what its plan allows and how much of that it has now
    slug: Option<Slug>,
    /// How far back: 7d, 24h
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = lifetime)]
    since: Duration,
    /// A line for each of these, in UTC [default: one line for all of the time]
    #[arg(long)]
    by: Option<By>,
}

/// What there is a line for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Hour,
    Day,
    Month,
}

impl Usage {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let tenant = match &self.slug {
            Some(slug) => Some(find(deployment, &catalog, slug).await?),
            None => None,
        };
        let used = self.read(deployment, tenant.as_ref()).await?;
        let names = names(deployment, &catalog, tenant.as_ref()).await?;
        let lines: Vec<Line> = used
            .into_iter()
            // One that is being erased has no name any more.
            .filter_map(|used| Some(Line::new(names.get(&used.tenant)?, used, self.by)))
            .fold(Vec::new(), merged);
        let allowed = match &tenant {
            Some(tenant) => Some(allowed(deployment, &catalog, tenant).await?),
            None => None,
        };
        output.print(&Shown::new(lines, self.by, allowed))
    }

    async fn read(&self, deployment: &Deployment, tenant: Option<&Tenant>) -> Result<Vec<Used>, Failure> {
        let step = match self.by {
            None => Step::Whole,
            Some(By::Hour) => Step::Hour,
            Some(By::Day | By::Month) => Step::Day,
        };
        // Nobody has used anything while there is no store.
        let Some(store) = deployment.config.usage_store_if_there().await? else { return Ok(Vec::new()) };
        let since = Hour::now().before(self.since);
        Ok(store.read(tenant.map(|tenant| tenant.id), since, step).await?)
    }
}

/// The days of a month are one line.
fn merged(mut lines: Vec<Line>, line: Line) -> Vec<Line> {
    match lines.last_mut() {
        Some(last) if last.is_same(&line) => last.add(&line),
        _ => lines.push(line),
    }
    lines
}

/// The names of tenants by their numbers: of the one that is asked for, or of all.
async fn names(
    deployment: &Deployment,
    catalog: &CatalogStore,
    tenant: Option<&Tenant>,
) -> Result<HashMap<TenantId, Slug>, Failure> {
    if let Some(tenant) = tenant {
        return Ok(HashMap::from([(tenant.id, tenant.slug.clone())]));
    }
    let (mut names, mut after) = (HashMap::new(), None);
    loop {
        let page = catalog.page(after, PAGE).await.map_err(|error| deployment.failed(error))?;
        let Some(last) = page.last() else { return Ok(names) };
        after = Some(last.id);
        names.extend(page.into_iter().map(|tenant| (tenant.id, tenant.slug)));
    }
}

/// How many tenants are read at once.
const PAGE: u32 = 1000;
