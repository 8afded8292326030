//! `tenantry tenant extend`, `expire` and `promote`

use std::time::Duration;

use tenantry::{PlanName, Slug};

use super::{
    create::lifetime,
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
}

/// The tenant whose time is up.
#[derive(Debug, clap::Args)]
pub(crate) struct Expire {
    /// Its name
    slug: Slug,
}

/// The trial that becomes a customer.
#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    /// Its name
    slug: Slug,
    /// The plan that it is on from now on
    #[arg(long)]
    plan: PlanName,
}

impl Extend {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        verb::run(deployment, output, async |control| control.extend(&self.slug, self.by).await, until).await
    }
}

impl Expire {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let expired = |_: &Report| Said { verb: "is", what: "expired".to_owned() };
        verb::run(deployment, output, async |control| control.expire(&self.slug).await, expired).await
    }
}

impl Promote {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
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
