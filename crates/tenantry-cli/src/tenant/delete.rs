//! `tenantry tenant delete`, in two steps: the mark, and the end of the record.

use std::{
    fmt,
    io::{self, BufRead, IsTerminal},
    time::Duration,
};

use serde::Serialize;
use tenantry::{
    CatalogStore, Slug, Status, Tenant, Unscoped,
    config::Place,
    control::{Changed, DryRun},
};

use super::{
    dry_run,
    find::find,
    report::{Report, utc},
    verb,
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant to delete.
#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// Its name
    slug: Slug,
    /// How long it is kept before it is erased, if not lifecycle.delete_grace: 30d, 0s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "forget")]
    grace: Option<Duration>,
    /// Remove the record and the local users of a tenant that is marked, and free its names; its data elsewhere stays
    #[arg(long)]
    forget: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Delete {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let tenant = find(deployment, &catalog, &self.slug).await?;
        if self.forget && tenant.status != Status::Deleting {
            return Err(not_marked(&tenant));
        }
        let grace = self.grace.unwrap_or(deployment.config.lifecycle.delete_grace);
        if self.dry_run {
            let verb = async |dry_run: DryRun<'_>| match self.forget {
                true => dry_run.forget(&self.slug).await,
                false => dry_run.delete(&self.slug, grace).await,
            };
            return dry_run::run_on(deployment, output, &catalog, "delete", verb).await;
        }
        if !self.yes {
            confirm_name(&tenant.slug, output)?;
        }
        if self.forget {
            forget(deployment, output, &catalog, &tenant).await
        } else {
            mark(deployment, output, &catalog, &tenant.slug, grace).await
        }
    }
}

async fn mark(
    deployment: &Deployment,
    output: Output,
    catalog: &CatalogStore,
    slug: &Slug,
    grace: Duration,
) -> Result<(), Failure> {
    let control = catalog.control(deployment.config.plans()?);
    let Changed { changed, tenant } = match control.delete(slug, grace).await {
        Ok(changed) => changed,
        Err(error) => return Err(verb::failed(deployment, catalog, error).await),
    };
    let erase_at = tenant.erase_at.and_then(utc);
    output.print(&Marked { changed, erase_at, tenant: Report::new(&tenant) })?;
    let slug = &tenant.slug;
    output.hint(&format!("`tenantry tenant resume {slug} --undelete` takes the mark back"));
    output.hint(&format!("`tenantry tenant erase {slug}` removes what it has when that time has come"));
    output.hint(&format!("`tenantry tenant delete {slug} --forget` removes the record alone, and frees its names"));
    Ok(())
}

async fn forget(
    deployment: &Deployment,
    output: Output,
    catalog: &CatalogStore,
    tenant: &Tenant,
) -> Result<(), Failure> {
    let control = catalog.control(deployment.config.plans()?);
    if let Err(error) = control.check_forget(&tenant.slug).await {
        return Err(verb::failed(deployment, catalog, error).await);
    }
    // Before the record, without which nobody would find them again.
    let users = forget_users(deployment, catalog, tenant).await?;
    catalog.remove(tenant.id).await.map_err(|error| deployment.failed(error))?;
    output.print(&Forgotten { forgotten: true, users, tenant: Report::new(tenant) })?;
    output.hint("what it stored elsewhere, databases and files, is still there");
    Ok(())
}

/// Removes the tenant's local users, and says how many there were.
async fn forget_users(deployment: &Deployment, catalog: &CatalogStore, tenant: &Tenant) -> Result<u64, Failure> {
    if matches!(&deployment.config.directory.place, Place::File(path) if !path.exists()) {
        return Ok(0);
    }
    let local = deployment.local_users().await?;
    let why = Unscoped::on(tenant.id, "an administrator forgets a tenant");
    let forgotten = local.forget(tenant.id, deployment.note(catalog, tenant, why).await?).await;
    forgotten.map_err(|error| deployment.users_failed(error.into()))
}

#[derive(Serialize)]
struct Marked {
    changed: bool,
    /// From when on it may be erased.
    erase_at: Option<String>,
    tenant: Report,
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.changed { "now" } else { "already" };
        write!(f, "{} is {when} marked as deleting, and is not served", self.tenant.slug)?;
        match &self.erase_at {
            Some(at) => write!(f, "; it is kept until {at}"),
            None => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct Forgotten {
    forgotten: bool,
    /// How many local users it had.
    users: u64,
    tenant: Report,
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slug = &self.tenant.slug;
        match self.users {
            0 => write!(f, "{slug} is forgotten, and its names are free"),
            1 => write!(f, "{slug} is forgotten with its local user, and its names are free"),
            users => write!(f, "{slug} is forgotten with its {users} local users, and its names are free"),
        }
    }
}

/// Whether there is somebody to ask.
#[derive(Clone, Copy)]
enum Asks {
    Nobody,
    Somebody,
}

/// Asks whoever is there for the tenant's name.
pub(super) fn confirm_name(slug: &Slug, output: Output) -> Result<(), Failure> {
    let stdin = io::stdin();
    let asks = if stdin.is_terminal() && output == Output::Text { Asks::Somebody } else { Asks::Nobody };
    confirm(slug, asks, stdin.lock())
}

/// Lets a person type the name, since a `y` is typed too easily.
fn confirm(slug: &Slug, asks: Asks, mut answer: impl BufRead) -> Result<(), Failure> {
    if matches!(asks, Asks::Nobody) {
        return Err(Failure::misused("there is nobody to ask").hint("--yes goes on without a question"));
    }
    Output::ask(&format!("type {slug} to go on: "));
    let mut line = String::new();
    answer.read_line(&mut line)?;
    if line.trim() == slug.as_str() {
        return Ok(());
    }
    Err(Failure::other("not_confirmed", format!("this is not {slug}, so nothing was done")))
}

fn not_marked(tenant: &Tenant) -> Failure {
    let slug = &tenant.slug;
    Failure::other(
        "not_deleting",
        format!("{slug} is {}, and only a tenant that is deleting can be forgotten", tenant.status),
    )
    .hint(format!("`tenantry tenant delete {slug}` marks it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asks: Asks, typed: &str, code: Option<&str>) {
        let slug = "acme".parse().unwrap();
        let outcome = confirm(&slug, asks, typed.as_bytes());
        assert_eq!(outcome.as_ref().err().map(|failure| failure.parts().0), code, "{typed:?}");
    }

    #[test]
    fn only_the_name_itself_confirms() {
        check(Asks::Somebody, "acme\n", None);
        check(Asks::Somebody, "acme", None);
        check(Asks::Somebody, "y\n", Some("not_confirmed"));
        check(Asks::Somebody, "", Some("not_confirmed"));
        check(Asks::Nobody, "acme\n", Some("usage"));
    }
}
