//! `tenantry settings`: what the application's settings are for tenants.
//!
//! | module | what it has |
//! |---|---|
//! | `change` | `set` and `unset` |
//! | `look` | `get`, `diff` and `drift` |
//! | `known` | which settings there are, and what plan and template say |

mod change;
mod known;
mod look;

use clap::Subcommand;

use self::{
    change::{Set, Unset},
    look::{Diff, Drift, Get},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Looks at the application's settings for tenants, and changes them. Running processes see a change within a second.
#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Compare the settings of two tenants
    Diff(Diff),
    /// List what is set for tenants themselves, and whether the application can use it
    Drift(Drift),
    /// Show a tenant's settings, and which layer they are from
    Get(Get),
    /// Set one for a tenant
    Set(Set),
    /// Let one no longer be set for a tenant, so that its template's, its plan's or the default holds
    Unset(Unset),
}

impl SettingsCommand {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        match self {
            Self::Diff(command) => command.run(deployment, output).await,
            Self::Drift(command) => command.run(deployment, output).await,
            Self::Get(command) => command.run(deployment, output).await,
            Self::Set(command) => command.run(deployment, output).await,
            Self::Unset(command) => command.run(deployment, output).await,
        }
    }
}
