//! `tenantry tenant`: the tenants of the catalog.
//!
//! | module | what it has |
//! |---|---|
//! | `create`, `list`, `show`, `delete` | the commands of that name |
//! | `switch` | `suspend` and `resume` |
//! | `find` | from a name that was typed to a tenant |
//! | `report` | a tenant as it is shown |

mod create;
mod delete;
mod find;
mod list;
mod report;
mod show;
mod switch;

use clap::Subcommand;

use self::{
    create::Create,
    delete::Delete,
    list::List,
    show::Show,
    switch::{Resume, Suspend},
};
pub(crate) use self::{
    create::{check_plan, lifetime, placement},
    find::find,
    report::Report,
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Creates, lists and changes tenants. Where a command takes a name, an alias will do.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant
    Create(Create),
    /// Mark a tenant as deleting, or forget one that is
    Delete(Delete),
    /// List tenants, the oldest first
    List(List),
    /// Switch a suspended tenant on again
    Resume(Resume),
    /// Show a tenant
    Show(Show),
    /// Switch a tenant off; its data stays
    Suspend(Suspend),
}

impl TenantCommand {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(deployment, output).await,
            Self::Delete(command) => command.run(deployment, output).await,
            Self::List(command) => command.run(deployment, output).await,
            Self::Resume(command) => command.run(deployment, output).await,
            Self::Show(command) => command.run(deployment, output).await,
            Self::Suspend(command) => command.run(deployment, output).await,
        }
    }
}
