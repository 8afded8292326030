//! `tenantry user`: the local users of tenants.
//!
//! | module | what it has |
//! |---|---|
//! | `add`, `list` | the commands of that name |
//! | `change` | `passwd`, `roles` and `remove` |
//! | `local` | from a name that was typed to a tenant's users |
//! | `password` | a password that nobody else sees |

mod add;
mod change;
mod list;
mod local;
mod password;

use clap::Subcommand;

use self::{
    add::Add,
    change::{Passwd, Remove, Roles},
    list::List,
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Looks at the local users of tenants, and changes them. They sign in where the tenant's settings name no directory of its
/// own. Where a command takes a tenant's name, an alias will do.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; the password is read from standard input
    Add(Add),
    /// List a tenant's users
    List(List),
    /// Give a user another password, which is read from standard input
    Passwd(Passwd),
    /// Remove a user
    Remove(Remove),
    /// Give a user other roles
    Roles(Roles),
}

impl UserCommand {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(deployment, output).await,
            Self::List(command) => command.run(deployment, output).await,
            Self::Passwd(command) => command.run(deployment, output).await,
            Self::Remove(command) => command.run(deployment, output).await,
            Self::Roles(command) => command.run(deployment, output).await,
        }
    }
}
