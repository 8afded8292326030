//! `tenantry tenant extend`, `expire` and `promote`

use std::time::Duration;

use tenantry::{PlanName, Slug, control::DryRun};

use super::{
    dry_run,
    new::lifetime,
    report::Report,
    verb::{self, Said},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant that gets more time.
#[derive(Debug, clap::Args)]
pub(crate) struct Extend {
    /// Its name
    slug: Slug,
    /// How much more, from its end on: 14d, 12h
    #[arg(value_name = "TIME", value_parser = lifetime)]
    by: Duration,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// The tenant whose time is up.
#[derive(Debug, clap::Args)]
pub(crate) struct Expire {
    /// Its name
    slug: Slug,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// The trial that becomes a customer.
#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    /// Its name
    slug: Slug,
    /// The plan that it is on from now on
    #[arg(long)]
    plan: PlanName,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Extend {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.extend(&self.slug, self.by).await;
            return dry_run::run(deployment, output, "extend", verb).await;
        }
        verb::run(deployment, output, async |control| control.extend(&self.slug, self.by).await, until).await
    }
}

impl Expire {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.expire(&self.slug).await;
            return dry_run::run(deployment, output, "expire", verb).await;
        }
        let expired = |_: &Report| Said { verb: "is", what: "expired".to_owned() };
        verb::run(deployment, output, async |control| control.expire(&self.slug).await, expired).await
    }
}

impl Promote {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.promote(&self.slug, &self.plan).await;
            return dry_run::run(deployment, output, "promote", verb).await;
        }
        let customer = |tenant: &Report| Said { verb: "is", what: format!("a customer, on the plan {}", tenant.plan) };
        verb::run(deployment, output, async |control| control.promote(&self.slug, &self.plan).await, customer).await
    }
}

fn until(tenant: &Report) -> Said {
    match &tenant.expires_at {
        Some(end) => Said { verb: "has time", what: format!("until {end}") },
        None => Said { verb: "has time", what: "without an end".to_owned() },
    }
}
