//! `tenantry tenant`: the tenants of the catalog.
//!
//! | module | what it has |
//! |---|---|
//! | `create`, `list`, `show`, `delete` | the commands of that name |
//! | `rename` | the command of that name |
//! | `switch` | `suspend` and `resume` |
//! | `time` | `extend`, `expire` and `promote` |
//! | `verb` | what these commands have in common |
//! | `find` | from a name that was typed to a tenant |
//! | `report` | a tenant as it is shown |

mod create;
mod delete;
mod find;
mod list;
mod rename;
mod report;
mod show;
mod switch;
mod time;
mod verb;

use clap::Subcommand;

use self::{
    create::Create,
    delete::Delete,
    list::List,
    rename::Rename,
    show::Show,
    switch::{Resume, Suspend},
    time::{Expire, Extend, Promote},
};
pub(crate) use self::{
    create::{check_plan, lifetime, placement},
    find::find,
    report::{Report, utc},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Creates, lists and changes tenants. Where a command takes a name, an alias will do.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant
    Create(Create),
    /// Mark a tenant as deleting, or forget one that is
    Delete(Delete),
    /// End a tenant's time now; its data stays
    Expire(Expire),
    /// Give a tenant more time
    Extend(Extend),
    /// List tenants, the oldest first
    List(List),
    /// Make a customer of a trial: another plan, and no end
    Promote(Promote),
    /// Give a tenant another name
    Rename(Rename),
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
            Self::Expire(command) => command.run(deployment, output).await,
            Self::Extend(command) => command.run(deployment, output).await,
            Self::List(command) => command.run(deployment, output).await,
            Self::Promote(command) => command.run(deployment, output).await,
            Self::Rename(command) => command.run(deployment, output).await,
            Self::Resume(command) => command.run(deployment, output).await,
            Self::Show(command) => command.run(deployment, output).await,
            Self::Suspend(command) => command.run(deployment, output).await,
        }
    }
}
