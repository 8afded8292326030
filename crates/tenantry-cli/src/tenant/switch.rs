//! `tenantry tenant suspend` and `tenantry tenant resume`

use tenantry::{
    Slug,
    control::{Deleted, DryRun},
};

use super::{
    dry_run,
    report::Report,
    verb::{self, Said},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant to switch off.
#[derive(Debug, clap::Args)]
pub(crate) struct Suspend {
    /// Its name
    slug: Slug,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// The tenant to switch on.
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Its name
    slug: Slug,
    /// Take back the mark of `tenant delete`; its data has to be still there
    #[arg(long)]
    undelete: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Suspend {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.suspend(&self.slug).await;
            return dry_run::run(deployment, output, "suspend", verb).await;
        }
        verb::run(deployment, output, async |control| control.suspend(&self.slug).await, status).await
    }
}

impl Resume {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let deleted = if self.undelete { Deleted::NotYet } else { Deleted::Perhaps };
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.resume(&self.slug, deleted).await;
            return dry_run::run(deployment, output, "resume", verb).await;
        }
        verb::run(deployment, output, async |control| control.resume(&self.slug, deleted).await, status).await
    }
}

fn status(tenant: &Report) -> Said {
    Said { verb: "is", what: tenant.status.to_owned() }
}
