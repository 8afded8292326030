//! `tenantry tenant rename`

use tenantry::{Slug, control::Former};

use super::verb::{self, Said};
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
}

impl Rename {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let former = if self.free { Former::Freed } else { Former::Kept };
        let named = |_: &super::Report| Said { verb: "is", what: "its name".to_owned() };
        verb::run(deployment, output, async |control| control.rename(&self.slug, &self.to, former).await, named).await
    }
}
