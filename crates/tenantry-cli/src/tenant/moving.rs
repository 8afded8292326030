//! `tenantry tenant move`

use std::fmt;

use serde::Serialize;
use tenantry::{
    Placement, Slug,
    control::{Control, DryRun, Ended},
};

use super::{copy::Amounts, dry_run, new::placement, report::Report, verb};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// A tenant whose rows are to be elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Move {
    /// Its name
    slug: Slug,
    /// Where they are to be
    #[arg(value_parser = placement())]
    placement: Placement,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Move {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.move_to(&self.slug, self.placement).await;
            return dry_run::run(deployment, output, "move", verb).await;
        }
        let catalog = deployment.catalog().await?;
        let move_it = async |control: Control| control.move_to(&self.slug, self.placement).await;
        let Ended { operation, tenant } = verb::operate(deployment, output, &catalog, move_it).await?;
        output.print(&Moved {
            operation: operation.id.get(),
            moved: Amounts::of(&operation),
            tenant: tenant.as_ref().map(Report::new),
        })
    }
}

#[derive(Serialize)]
struct Moved {
    operation: i64,
    moved: Amounts,
    tenant: Option<Report>,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(tenant) = &self.tenant else { return f.write_str("moved") };
        write!(f, "moved {} of {}, which are {} now", self.moved, tenant.slug, tenant.placement)
    }
}
