//! `tenantry user list`

use std::fmt;

use serde::Serialize;
use tenantry::{Slug, directory::Person};

use super::local::Local;
use crate::{
    deployment::Deployment,
    failure::Failure,
    output::{Output, table},
};

/// Whose users to list.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The tenant
    tenant: Slug,
    /// Only those whose login names come after this one
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

impl List {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let local = Local::open(deployment, &self.tenant).await?;
        // One more than the limit where there is one, to know that there is.
        let found = local.users.list(self.after.as_deref(), self.limit.saturating_add(1)).await;
        let mut found = found.map_err(|error| local.failed(error))?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        output.print(&Listed { users: found.iter().map(Report::new).collect(), more })?;
        if more {
            output.hint("there are more; --after goes on, --limit shows more at once");
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Listed {
    users: Vec<Report>,
    more: bool,
}

/// A user as it is shown.
#[derive(Serialize)]
pub(super) struct Report {
    name: String,
    display_name: String,
    mail: Option<String>,
    roles: Vec<String>,
}

impl Report {
    pub(super) fn new(person: &Person) -> Self {
        let Person { name, display_name, mail, roles, .. } = person.clone();
        Self { name, display_name, mail, roles }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |user: &Report| {
            let Report { name, display_name, mail, roles } = user;
            [name.clone(), display_name.clone(), mail.clone().unwrap_or_default(), roles.join(",")]
        };
        f.write_str(&table(["NAME", "DISPLAY NAME", "MAIL", "ROLES"], &self.users.iter().map(row).collect::<Vec<_>>()))
    }
}
