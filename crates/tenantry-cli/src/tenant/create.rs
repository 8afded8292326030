//! `tenantry tenant create`

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use tenantry::{
    NewTenant, Placement, PlanName, Slug, Status,
    config::{Config, Place},
    control::{self, DryRun},
};

use super::{
    copy::Copied,
    dry_run,
    report::Report,
    verb::{self, refused},
};
use crate::{deployment::Deployment, failure::Failure, output::Output, progress::Progress};

/// A tenant to be created.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The name, as it stands in the address
    slug: Slug,
    /// A tenant that has what this one is to begin with, and whose settings it follows
    #[arg(long, value_name = "TEMPLATE")]
    from: Option<Slug>,
    /// A plan of the configuration
    #[arg(long, default_value = "default")]
    plan: PlanName,
    /// A further name; may be given several times
    #[arg(long = "alias", value_name = "ALIAS")]
    aliases: Vec<Slug>,
    /// Where its rows live
    #[arg(long, default_value = "shared", value_parser = placement())]
    placement: Placement,
    /// When its time is up, from now: 14d, 12h [default: never]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<Duration>,
    /// Switched off at first
    #[arg(long)]
    suspended: bool,
    /// Say what would be done, and do nothing: with --from
    #[arg(long, requires = "from")]
    dry_run: bool,
}

impl Create {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        check_plan(&deployment.config, &self.plan)?;
        let mut new = NewTenant::new(self.slug);
        new.aliases = self.aliases;
        new.plan = self.plan;
        new.placement = self.placement;
        new.expires_at = self.expires.map(|lifetime| SystemTime::now() + lifetime);
        new.status = if self.suspended { Status::Suspended } else { Status::Active };
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
            let progress = Progress::new(output);
            let control = deployment.control_showing(&catalog, &progress).await?;
            let created = control.create_from(&template, new).await;
            progress.end();
            return match created {
                Ok(ended) => output.print(&Copied::new("created", &ended)),
                Err(error) => Err(verb::failed(deployment, &catalog, error).await),
            };
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

pub(crate) fn check_plan(config: &Config, plan: &PlanName) -> Result<(), Failure> {
    control::check_plan(&config.plans()?, plan).map_err(|error| refused(&error))
}

pub(crate) fn placement() -> impl TypedValueParser<Value = Placement> {
    PossibleValuesParser::new(["dedicated", "shared"]).try_map(|word| word.parse::<Placement>())
}

pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text).map_err(|error| format!("no time like 14d or 12h: {error}"))?;
    if lifetime.is_zero() || lifetime > LIFETIME_MAX {
        return Err("it has to be longer than nothing and no longer than 100 years".to_owned());
    }
    Ok(lifetime)
}

const LIFETIME_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);
