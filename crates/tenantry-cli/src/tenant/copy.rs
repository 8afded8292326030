//! `tenantry tenant clone` and `reset`

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use tenantry::{
    Amount, NewTenant, Operation, PlanName, Slug,
    control::{Control, DryRun, Ended},
};

use super::{delete::confirm_name, dry_run, new::lifetime, report::Report, verb};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// A tenant to be copied.
#[derive(Debug, clap::Args)]
pub(crate) struct Clone {
    /// The tenant that has what the new one is to begin with
    source: Slug,
    /// The new tenant's name
    slug: Slug,
    /// A plan of the configuration [default: the plan of the one that is copied]
    #[arg(long)]
    plan: Option<PlanName>,
    /// When its time is up, from now: 14d, 12h [default: never]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<Duration>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Clone {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let source = super::find(deployment, &catalog, &self.source).await?;
        let mut new = NewTenant::new(self.slug);
        new.plan = self.plan.unwrap_or(source.plan);
        new.placement = source.placement;
        new.expires_at = self.expires.map(|lifetime| SystemTime::now() + lifetime);
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.clone_tenant(&self.source, new).await;
            return dry_run::run_on(deployment, output, &catalog, "clone", verb).await;
        }
        let clone = async |control: Control| control.clone_tenant(&self.source, new).await;
        let ended = verb::operate(deployment, output, &catalog, clone).await?;
        output.print(&Copied::new("created", &ended))
    }
}

/// A tenant to be reset.
#[derive(Debug, clap::Args)]
pub(crate) struct Reset {
    /// Its name
    slug: Slug,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Reset {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.reset(&self.slug).await;
            return dry_run::run(deployment, output, "reset", verb).await;
        }
        let catalog = deployment.catalog().await?;
        let tenant = super::find(deployment, &catalog, &self.slug).await?;
        if !self.yes {
            confirm_name(&tenant.slug, output)?;
        }
        let reset = async |control: Control| control.reset(&self.slug).await;
        let ended = verb::operate(deployment, output, &catalog, reset).await?;
        output.print(&Copied::new("reset", &ended))
    }
}

/// What a tenant begins with.
#[derive(Serialize)]
pub(super) struct Copied {
    #[serde(skip)]
    what: &'static str,
    operation: i64,
    copied: Amounts,
    tenant: Option<Report>,
}

impl Copied {
    pub(super) fn new(what: &'static str, ended: &Ended) -> Self {
        let Ended { operation, tenant } = ended;
        Self {
            what,
            operation: operation.id.get(),
            copied: Amounts::of(operation),
            tenant: tenant.as_ref().map(Report::new),
        }
    }
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slug = self.tenant.as_ref().map_or("", |tenant| &tenant.slug);
        write!(f, "{} {slug} with {}", self.what, self.copied)
    }
}

/// How much there was in each plane.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Amounts(Vec<PlaneAmount>);

#[derive(Serialize)]
struct PlaneAmount {
    plane: String,
    items: u64,
    bytes: u64,
}

impl Amounts {
    pub(crate) fn of(operation: &Operation) -> Self {
        Self::counted(&operation.progress.amounts)
    }

    pub(super) fn counted(amounts: &BTreeMap<String, Amount>) -> Self {
        let amount = |(plane, amount): (&String, &Amount)| PlaneAmount {
            plane: plane.clone(),
            items: amount.items,
            bytes: amount.bytes,
        };
        Self(amounts.iter().map(amount).collect())
    }

    /// Whether nothing was counted at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Amounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.0.iter().filter(|amount| amount.items > 0).peekable();
        if parts.peek().is_none() {
            return f.write_str("nothing");
        }
        for (at, PlaneAmount { plane, items, .. }) in parts.enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{items} {plane}")?;
        }
        Ok(())
    }
}
