//! A tenant as it is shown.

use std::{fmt, time::SystemTime};

use serde::Serialize;
use tenantry::{Tenant, control::time::in_calendar};

/// A tenant, for programs and for people.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) id: i64,
    pub(crate) slug: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) status: &'static str,
    pub(crate) plan: String,
    pub(crate) placement: &'static str,
    created_at: Option<String>,
    pub(crate) expires_at: Option<String>,
    revision: i64,
}

impl Report {
    /// The tenant with the status that it has now, by the clock.
    pub(crate) fn new(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.get(),
            slug: tenant.slug.to_string(),
            aliases: tenant.aliases.iter().map(ToString::to_string).collect(),
            status: tenant.status_now().as_str(),
            plan: tenant.plan.to_string(),
            placement: tenant.placement.as_str(),
            created_at: utc(tenant.created_at),
            expires_at: tenant.expires_at.and_then(utc),
            revision: tenant.revision.get(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, slug, aliases, status, plan, placement, created_at, expires_at, revision } = self;
        let aliases = if aliases.is_empty() { "none".to_owned() } else { aliases.join(", ") };
        writeln!(f, "slug       {slug}")?;
        writeln!(f, "aliases    {aliases}")?;
        writeln!(f, "id         {id}")?;
        writeln!(f, "status     {status}")?;
        writeln!(f, "plan       {plan}")?;
        writeln!(f, "placement  {placement}")?;
        writeln!(f, "created    {}", created_at.as_deref().unwrap_or("unknown"))?;
        writeln!(f, "expires    {}", expires_at.as_deref().unwrap_or("never"))?;
        writeln!(f, "revision   {revision}")
    }
}

/// The time as in RFC 3339, to the millisecond, if it can be said.
pub(crate) fn utc(time: SystemTime) -> Option<String> {
    in_calendar(time).map(|time| humantime::format_rfc3339_millis(time).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_time_that_cannot_be_said_is_left_out() {
        assert_eq!(utc(UNIX_EPOCH).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(1 << 40)), None);
        assert_eq!(utc(UNIX_EPOCH - Duration::from_secs(1)), None);
    }
}
