//! `tenantry settings get`, `diff` and `drift`

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::Value;
use tenantry::{
    Slug, TenantId,
    settings::{Drifted, SettingPath, Sourced},
};

use super::known::{Known, Layered};
use crate::{
    deployment::Deployment,
    failure::Failure,
    output::{Output, table},
};

/// Whose settings.
#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// The tenant
    slug: Slug,
    /// Only this setting, or those within it
    path: Option<SettingPath>,
}

/// Two tenants.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// One tenant
    one: Slug,
    /// The other
    other: Slug,
}

/// Whose settings; of all tenants where none is named.
#[derive(Debug, clap::Args)]
pub(crate) struct Drift {
    /// The tenant
    slug: Option<Slug>,
}

impl Get {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let known = Known::open(deployment).await?;
        let tenant = known.tenant(&self.slug).await?;
        let found = known.sourced(&tenant, self.path.as_ref());
        if let Some(path) = self.path.filter(|_| found.is_empty()) {
            return Err(Failure::misused(format!("there is no setting {path}")));
        }
        output.print(&Got { settings: found })
    }
}

#[derive(Serialize)]
struct Got {
    settings: Vec<Sourced>,
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |shown: &Sourced| [shown.path.clone(), shown.value.to_string(), shown.layer.to_string()];
        f.write_str(&table(["SETTING", "VALUE", "FROM"], &self.settings.iter().map(row).collect::<Vec<_>>()))
    }
}

impl Diff {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let known = Known::open(deployment).await?;
        let [one, other] = [known.tenant(&self.one).await?, known.tenant(&self.other).await?];
        let values = |of: &Layered| -> BTreeMap<String, Value> {
            known.sourced(of, None).into_iter().map(|Sourced { path, value, .. }| (path, value)).collect()
        };
        let (first, mut second) = (values(&one), values(&other));
        let mut differences: Vec<_> = first
            .into_iter()
            .map(|(path, one)| Difference { other: second.remove(&path), one: Some(one), path })
            .filter(|difference| difference.one != difference.other)
            .collect();
        differences.extend(second.into_iter().map(|(path, value)| Difference { path, one: None, other: Some(value) }));
        output.print(&Differences { tenants: [one, other].map(|of| of.tenant.slug.to_string()), differences })
    }
}

#[derive(Serialize)]
struct Differences {
    tenants: [String; 2],
    differences: Vec<Difference>,
}

#[derive(Serialize)]
struct Difference {
    path: String,
    one: Option<Value>,
    other: Option<Value>,
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.differences.is_empty() {
            return f.write_str("their settings are the same");
        }
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(String::new, Value::to_string);
        let row = |found: &Difference| [found.path.clone(), shown(&found.one), shown(&found.other)];
        let [one, other] = &self.tenants;
        let rows: Vec<_> = self.differences.iter().map(row).collect();
        f.write_str(&table(["SETTING", one.as_str(), other.as_str()], &rows))
    }
}

impl Drift {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let known = Known::open(deployment).await?;
        let keys = known.keys()?;
        let mut drifts = Vec::new();
        let mut add = |of: &Layered| {
            let Layered { tenant, plan, template } = of;
            let found = known.described.drift(&keys, tenant.id, plan, template.as_ref(), &tenant.settings);
            drifts.extend(found.into_iter().map(|drifted| Drifts { tenant: tenant.slug.to_string(), drifted }));
        };
        if let Some(slug) = &self.slug {
            add(&known.tenant(slug).await?);
        } else {
            let mut after: Option<TenantId> = None;
            loop {
                let page = known.catalog.page(after, PAGE).await.map_err(|error| deployment.failed(error))?;
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                for tenant in page.into_iter().filter(|tenant| !tenant.settings.is_empty()) {
                    add(&known.layered(tenant).await?);
                }
            }
        }
        output.print(&Listed { settings: drifts })
    }
}

const PAGE: u32 = 1000;

#[derive(Serialize)]
struct Listed {
    settings: Vec<Drifts>,
}

#[derive(Serialize)]
struct Drifts {
    tenant: String,
    #[serde(flatten)]
    drifted: Drifted,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.settings.is_empty() {
            return f.write_str("nothing is set for a tenant itself");
        }
        let row = |Drifts { tenant, drifted }: &Drifts| {
            let below = drifted.below.as_ref().map_or_else(String::new, Value::to_string);
            let problem = drifted.problem.clone().unwrap_or_default();
            [tenant.clone(), drifted.path.clone(), drifted.value.to_string(), below, problem]
        };
        let rows: Vec<_> = self.settings.iter().map(row).collect();
        f.write_str(&table(["TENANT", "SETTING", "VALUE", "OTHERWISE", "PROBLEM"], &rows))
    }
}
