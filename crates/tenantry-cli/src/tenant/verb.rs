//! A verb of `tenantry::control` on one tenant, and what is said of it.

use std::fmt;

use serde::Serialize;
use tenantry::{
    CatalogStore,
    control::{Changed, Control, VerbError, with_causes},
};

use super::{find::unknown, report::Report};
use crate::{deployment::Deployment, failure::Failure, output::Output, progress::Progress};

/// Does what `verb` does to a tenant, and prints what it did in the words of `say`.
pub(super) async fn run(
    deployment: &Deployment,
    output: Output,
    verb: impl AsyncFnOnce(Control) -> Result<Changed, VerbError>,
    say: fn(&Report) -> Said,
) -> Result<(), Failure> {
    let catalog = deployment.catalog().await?;
    let control = catalog.control(deployment.config.plans()?);
    match verb(control).await {
        Ok(Changed { changed, tenant }) => output.print(&Done { changed, tenant: Report::new(&tenant), say }),
        Err(error) => Err(failed(deployment, &catalog, error).await),
    }
}

/// Does what takes several steps, and shows how far it is.
pub(crate) async fn operate<T>(
    deployment: &Deployment,
    output: Output,
    catalog: &CatalogStore,
    verb: impl AsyncFnOnce(Control) -> Result<T, VerbError>,
) -> Result<T, Failure> {
    let progress = Progress::new(output);
    let control = deployment.control_showing(catalog, &progress).await?;
    let done = verb(control).await;
    progress.end();
    match done {
        Ok(done) => Ok(done),
        Err(error) => Err(failed(deployment, catalog, error).await),
    }
}

/// What a tenant is after a verb, in words that go on after its name: *is now suspended*, *is already suspended*.
pub(super) struct Said {
    pub(super) verb: &'static str,
    pub(super) what: String,
}

#[derive(Serialize)]
struct Done {
    changed: bool,
    tenant: Report,
    #[serde(skip)]
    say: fn(&Report) -> Said,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Said { verb, what }, when) = ((self.say)(&self.tenant), if self.changed { "now" } else { "already" });
        write!(f, "{} {verb} {when} {what}", self.tenant.slug)
    }
}

/// A verb's failure, in the words of this command line.
pub(crate) async fn failed(deployment: &Deployment, catalog: &CatalogStore, error: VerbError) -> Failure {
    match error {
        VerbError::Catalog(error) => deployment.failed(error),
        VerbError::Unknown { tenant } => unknown(deployment, catalog, &tenant).await,
        refusal => refused(&refusal),
    }
}

/// A verb's refusal, with what to do on this command line.
pub(crate) fn refused(error: &VerbError) -> Failure {
    let failure = Failure::refused(error.code(), with_causes(error));
    match error {
        VerbError::Deleting { tenant } => failure.hint(format!(
            "`tenantry tenant resume {tenant} --undelete` takes the mark back, if its data is still there"
        )),
        VerbError::EraseLater { tenant, .. } => {
            failure.hint(format!("`tenantry tenant erase {tenant} --now` does not wait for that"))
        }
        VerbError::NoTemplate { tenant } => {
            failure.hint(format!("`tenantry tenant create … --from {tenant}` makes a tenant that can be"))
        }
        VerbError::NotDedicated { .. } => failure.hint("without a name, all databases of tenants' own are migrated"),
        VerbError::NotMigratable => failure
            .hint("write migrations = \"…\" under [database] of tenantry.toml: the folder, relative to that file"),
        VerbError::NotDeleting { tenant } => failure.hint(format!("`tenantry tenant delete {tenant}` marks it")),
        VerbError::PlanUnknown { plan, known } => {
            let known: Vec<_> = known.iter().map(ToString::to_string).collect();
            failure.hint(format!("the configuration has {}; add [plans.{plan}] for another", known.join(", ")))
        }
        _ => failure,
    }
}
