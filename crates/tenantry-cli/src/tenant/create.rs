//! `tenantry tenant create`

use std::fmt;

use serde::Serialize;
use tenantry::{
    Slug,
    config::Place,
    control::{Control, DryRun},
};

use super::{copy::Copied, dry_run, new::New, report::Report, verb};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// A tenant to be created.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The name, as it stands in the address
    slug: Slug,
    /// A tenant that has what this one is to begin with, and whose settings it follows
    #[arg(long, value_name = "TEMPLATE")]
    from: Option<Slug>,
    /// A further name; may be given several times
    #[arg(long = "alias", value_name = "ALIAS")]
    aliases: Vec<Slug>,
    #[command(flatten)]
    new: New,
    /// Say what would be done, and do nothing: with --from
    #[arg(long, requires = "from")]
    dry_run: bool,
}

impl Create {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let mut new = self.new.tenant(self.slug, &deployment.config)?;
        new.aliases = self.aliases;
        let made = match &deployment.config.catalog.place {
            Place::File(path) if !path.exists() => Some(path.display()),
            Place::File(_) | Place::Server(_) => None,
        };
        if let (Some(template), true) = (&self.from, self.dry_run) {
            let verb = async |dry_run: DryRun<'_>| dry_run.create_from(template, new).await;
            return dry_run::run(deployment, output, "create", verb).await;
        }
        let catalog = deployment.catalog_or_new().await?;
        if let Some(template) = self.from {
            let create = async |control: Control| control.create_from(&template, new).await;
            let ended = verb::operate(deployment, output, &catalog, create).await?;
            return output.print(&Copied::new("created", &ended));
        }
        let tenant = catalog.create(new).await.map_err(|error| deployment.failed(error))?;
        output.print(&Created { tenant: Report::new(&tenant) })?;
        if let Some(path) = made {
            output.hint(&format!("there was no catalog {path}, so a new one was made"));
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Created {
    tenant: Report,
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { slug, status, plan, .. } = &self.tenant;
        write!(f, "created {slug}, {status}, on the plan {plan}")
    }
}
