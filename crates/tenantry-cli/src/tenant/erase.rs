//! `tenantry tenant erase`

use std::fmt;

use serde::Serialize;
use tenantry::{
    Slug,
    control::{Control, DryRun, Ended, Erasing},
};

use super::{copy::Amounts, delete::confirm_name, dry_run, verb};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// A tenant to be erased.
#[derive(Debug, clap::Args)]
pub(crate) struct Erase {
    /// Its name
    slug: Slug,
    /// Before the time for which deleted tenants are kept is over
    #[arg(long)]
    now: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Erase {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let when = if self.now { Erasing::Now } else { Erasing::WhenDue };
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.erase(&self.slug, when).await;
            return dry_run::run(deployment, output, "erase", verb).await;
        }
        let catalog = deployment.catalog().await?;
        let tenant = super::find(deployment, &catalog, &self.slug).await?;
        if !self.yes {
            confirm_name(&tenant.slug, output)?;
        }
        let erase = async |control: Control| control.erase(&self.slug, when).await;
        let Ended { operation, .. } = verb::operate(deployment, output, &catalog, erase).await?;
        output.print(&Erased {
            erased: true,
            operation: operation.id.get(),
            slug: operation.slug.to_string(),
            removed: Amounts::of(&operation),
        })
    }
}

#[derive(Serialize)]
struct Erased {
    erased: bool,
    operation: i64,
    slug: String,
    removed: Amounts,
}

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is erased: {} removed, and counted to be gone", self.slug, self.removed)
    }
}
