//! `tenantry user passwd`, `roles` and `remove`

use std::fmt;

use serde::Serialize;
use tenantry::Slug;

use super::{local::Local, password};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// A user who gets another password.
#[derive(Debug, clap::Args)]
pub(crate) struct Passwd {
    /// The tenant
    tenant: Slug,
    /// The login name
    name: String,
}

/// A user to be removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// The tenant
    tenant: Slug,
    /// The login name
    name: String,
}

/// A user who gets other roles.
#[derive(Debug, clap::Args)]
pub(crate) struct Roles {
    /// The tenant
    tenant: Slug,
    /// The login name
    name: String,
    /// What they may do from now on; nothing where none is named
    roles: Vec<String>,
}

impl Passwd {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let local = Local::open(deployment, &self.tenant).await?;
        let password = password::read(output, &self.name)?;
        local.users.set_password(&self.name, &password).await.map_err(|error| local.failed(error))?;
        let done = format!("{} of {} has another password", self.name, local.tenant);
        output.print(&Changed { tenant: local.tenant.to_string(), name: self.name, done })
    }
}

impl Remove {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let local = Local::open(deployment, &self.tenant).await?;
        local.users.remove(&self.name).await.map_err(|error| local.failed(error))?;
        let done = format!("removed {} from {}", self.name, local.tenant);
        output.print(&Changed { tenant: local.tenant.to_string(), name: self.name, done })
    }
}

impl Roles {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let local = Local::open(deployment, &self.tenant).await?;
        let shown = if self.roles.is_empty() { "no role".to_owned() } else { self.roles.join(", ") };
        local.users.set_roles(&self.name, self.roles).await.map_err(|error| local.failed(error))?;
        let done = format!("{} of {} has {shown}", self.name, local.tenant);
        output.print(&Changed { tenant: local.tenant.to_string(), name: self.name, done })
    }
}

#[derive(Serialize)]
struct Changed {
    tenant: String,
    name: String,
    #[serde(skip)]
    done: String,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.done)
    }
}
