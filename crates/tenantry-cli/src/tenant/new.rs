//! A new tenant, as it is typed.

use std::time::{Duration, SystemTime};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use tenantry::{NewTenant, Placement, PlanName, Slug, Status, config::Config, control};

use super::verb::refused;
use crate::failure::Failure;

/// What a new tenant is, besides its names.
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// A plan of the configuration
    #[arg(long, default_value = "default")]
    plan: PlanName,
    /// Where its rows live
    #[arg(long, default_value = "shared", value_parser = placement())]
    placement: Placement,
    /// When its time is up, from now: 14d, 12h [default: never]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<Duration>,
    /// Switched off at first
    #[arg(long)]
    suspended: bool,
}

impl New {
    /// The tenant of this name, if the configuration has its plan.
    pub(super) fn tenant(self, slug: Slug, config: &Config) -> Result<NewTenant, Failure> {
        check_plan(config, &self.plan)?;
        let mut new = NewTenant::new(slug);
        new.plan = self.plan;
        new.placement = self.placement;
        new.expires_at = self.expires.map(|lifetime| SystemTime::now() + lifetime);
        new.status = if self.suspended { Status::Suspended } else { Status::Active };
        Ok(new)
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
