//! `tenantry tenant rename`

use tenantry::{
    Slug,
    control::{DryRun, Former},
};

use super::{
    dry_run,
    verb::{self, Said},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant that gets another name.
#[derive(Debug, clap::Args)]
pub(crate) struct Rename {
    /// Its name
    slug: Slug,
    /// Its name from now on
    to: Slug,
    /// Free the former name, so that others may have it; else it stays as an alias
    #[arg(long)]
    free: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Rename {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let former = if self.free { Former::Freed } else { Former::Kept };
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| dry_run.rename(&self.slug, &self.to, former).await;
            return dry_run::run(deployment, output, "rename", verb).await;
        }
        let named = |_: &super::Report| Said { verb: "is", what: "its name".to_owned() };
        verb::run(deployment, output, async |control| control.rename(&self.slug, &self.to, former).await, named).await
    }
}
