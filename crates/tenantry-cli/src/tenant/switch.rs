//! `tenantry tenant suspend` and `tenantry tenant resume`

use tenantry::{Slug, control::Deleted};

use super::{
    report::Report,
    verb::{self, Said},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant to switch off.
#[derive(Debug, clap::Args)]
pub(crate) struct Suspend {
    /// Its name
    slug: Slug,
}

/// The tenant to switch on.
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Its name
    slug: Slug,
    /// Take back the mark of `tenant delete`; its data has to be still there
    #[arg(long)]
    undelete: bool,
}

impl Suspend {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        verb::run(deployment, output, async |control| control.suspend(&self.slug).await, status).await
    }
}

impl Resume {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let deleted = if self.undelete { Deleted::NotYet } else { Deleted::Perhaps };
        verb::run(deployment, output, async |control| control.resume(&self.slug, deleted).await, status).await
    }
}

fn status(tenant: &Report) -> Said {
    Said { verb: "is", what: tenant.status.to_owned() }
}
