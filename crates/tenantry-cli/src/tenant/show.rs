//! `tenantry tenant show`

use std::fmt;

use serde::Serialize;
use tenantry::Slug;

use super::{find::find, report::Report};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant to show.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Its name
    slug: Slug,
}

impl Show {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let tenant = Report::new(&find(deployment, &catalog, &self.slug).await?);
        output.print(&Shown { tenant })
    }
}

#[derive(Serialize)]
struct Shown {
    tenant: Report,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tenant.fmt(f)
    }
}
