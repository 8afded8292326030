//! `tenantry user add`

use std::fmt;

use serde::Serialize;
use tenantry::{Slug, directory::Person};

use super::{list::Report, local::Local, password};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// A user to be added.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The tenant
    tenant: Slug,
    /// The login name, compared letter by letter
    name: String,
    /// How they want to be called [default: the login name]
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// Where mail reaches them
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// What they may do, in the application's words; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

impl Add {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let local = Local::open(deployment, &self.tenant).await?;
        let password = password::read(output, &self.name)?;
        let mut person = Person::new(self.name);
        person.mail = self.mail;
        person.roles = self.roles;
        if let Some(display_name) = self.display_name {
            person.display_name = display_name;
        }
        let name = person.name.clone();
        local.users.add(person, &password).await.map_err(|error| local.failed(error))?;
        let stored = local.users.find(&name).await.map_err(|error| local.failed(error))?;
        output.print(&Added { tenant: local.tenant.to_string(), name, user: stored.as_ref().map(Report::new) })
    }
}

#[derive(Serialize)]
struct Added {
    tenant: String,
    #[serde(skip)]
    name: String,
    /// As it is stored; nothing where somebody else has removed it meanwhile.
    user: Option<Report>,
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "added {} to {}", self.name, self.tenant)
    }
}
