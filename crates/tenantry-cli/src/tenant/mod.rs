//! `tenantry tenant`: the tenants of the catalog.
//!
//! | module | what it has |
//! |---|---|
//! | `create`, `list`, `show`, `delete` | the commands of that name |
//! | `archive` | `export`, `import` and `inspect` |
//! | `copy` | `clone` and `reset` |
//! | `erase` | the command of that name |
//! | `moving` | `move` |
//! | `impersonate` | the command of that name |
//! | `rename` | the command of that name |
//! | `switch` | `suspend` and `resume` |
//! | `time` | `extend`, `expire` and `promote` |
//! | `verb` | what these commands have in common |
//! | `dry_run` | what a verb would do, as it is shown |
//! | `new` | a new tenant, as it is typed |
//! | `find` | from a name that was typed to a tenant |
//! | `report` | a tenant as it is shown |

mod archive;
mod copy;
mod create;
mod delete;
mod dry_run;
mod erase;
mod find;
mod impersonate;
mod list;
mod moving;
mod new;
mod rename;
mod report;
mod show;
mod switch;
mod time;
pub(crate) mod verb;

use clap::Subcommand;

use self::{
    archive::{Export, Import, Inspect},
    copy::{Clone, Reset},
    create::Create,
    delete::Delete,
    erase::Erase,
    impersonate::Impersonate,
    list::List,
    moving::Move,
    rename::Rename,
    show::Show,
    switch::{Resume, Suspend},
    time::{Expire, Extend, Promote},
};
pub(crate) use self::{
    copy::Amounts,
    find::find,
    new::{check_plan, lifetime, placement},
    report::{Report, utc},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Creates, lists and changes tenants. Where a command takes a name, an alias will do.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant that has what another one has
    Clone(Clone),
    /// Create a tenant
    Create(Create),
    /// Mark a tenant as deleting, or forget one that is
    Delete(Delete),
    /// Remove a deleted tenant and everything that it has
    Erase(Erase),
    /// End a tenant's time now; its data stays
    Expire(Expire),
    /// Write a tenant into one file: rows, settings, uploads
    Export(Export),
    /// Give a tenant more time
    Extend(Extend),
    /// Make a tenant of such a file
    Import(Import),
    /// Look whether such a file is whole, and what is in it
    Inspect(Inspect),
    /// Make a link into a tenant that is good once, for a minute
    Impersonate(Impersonate),
    /// List tenants, the oldest first
    List(List),
    /// Bring a tenant's rows into a database of their own, or back, while it works
    Move(Move),
    /// Make a customer of a trial: another plan, and no end
    Promote(Promote),
    /// Give a tenant another name
    Rename(Rename),
    /// Make a tenant what its template is: what it has is lost
    Reset(Reset),
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
            Self::Clone(command) => command.run(deployment, output).await,
            Self::Create(command) => command.run(deployment, output).await,
            Self::Delete(command) => command.run(deployment, output).await,
            Self::Erase(command) => command.run(deployment, output).await,
            Self::Expire(command) => command.run(deployment, output).await,
            Self::Export(command) => command.run(deployment, output).await,
            Self::Extend(command) => command.run(deployment, output).await,
            Self::Import(command) => command.run(deployment, output).await,
            Self::Inspect(command) => command.run(deployment, output).await,
            Self::Impersonate(command) => command.run(deployment, output).await,
            Self::List(command) => command.run(deployment, output).await,
            Self::Move(command) => command.run(deployment, output).await,
            Self::Promote(command) => command.run(deployment, output).await,
            Self::Rename(command) => command.run(deployment, output).await,
            Self::Reset(command) => command.run(deployment, output).await,
            Self::Resume(command) => command.run(deployment, output).await,
            Self::Show(command) => command.run(deployment, output).await,
            Self::Suspend(command) => command.run(deployment, output).await,
        }
    }
}
