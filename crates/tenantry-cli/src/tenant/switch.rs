//! `tenantry tenant suspend` and `tenantry tenant resume`
//!
//! | the tenant is | suspend | resume |
//! |---|---|---|
//! | active | suspends it | is fine, nothing to do |
//! | suspended | is fine, nothing to do | activates it |
//! | expired by its record | suspends it | activates it |
//! | expired by the clock | suspends it | is refused: it would still be expired |
//! | deleting | is refused | is refused, unless `--undelete` says that its data is still there |
//! | provisioning | is refused | is refused: whoever prepares it will activate it |

use std::{fmt, time::SystemTime};

use serde::Serialize;
use tenantry::{Code, Slug, Status, Tenant};

use super::{find::find, report::Report};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant to switch off.
#[derive(Debug, clap::Args)]
pub(crate) struct Suspend {
    /// Its name
    slug: Slug,
}

/// The tenant to switch on.
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Its name
    slug: Slug,
    /// Take back the mark of `tenant delete`; its data has to be still there
    #[arg(long)]
    undelete: bool,
}

impl Suspend {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        switch(deployment, output, &self.slug, Status::Suspended, |tenant| match tenant.status {
            Status::Deleting => Err(deleting(tenant)),
            Status::Provisioning => Err(provisioning(tenant)),
            _ => Ok(()),
        })
        .await
    }
}

impl Resume {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        switch(deployment, output, &self.slug, Status::Active, |tenant| match tenant.status {
            Status::Deleting if !self.undelete => Err(deleting(tenant)),
            Status::Provisioning => Err(provisioning(tenant)),
            _ if tenant.expires_at.is_some_and(|end| end <= SystemTime::now()) => Err(expired(tenant)),
            _ => Ok(()),
        })
        .await
    }
}

/// Gives the tenant the status `to`, if it may have it.
async fn switch(
    deployment: &Deployment,
    output: Output,
    slug: &Slug,
    to: Status,
    check: impl FnOnce(&Tenant) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let catalog = deployment.catalog().await?;
    let tenant = find(deployment, &catalog, slug).await?;
    check(&tenant)?;
    let changed = tenant.status != to;
    let tenant = if changed {
        catalog.set_status(tenant.id, to).await.map_err(|error| deployment.failed(error))?
    } else {
        tenant
    };
    output.print(&Switched { changed, tenant: Report::new(&tenant) })
}

#[derive(Serialize)]
struct Switched {
    changed: bool,
    tenant: Report,
}

impl fmt::Display for Switched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { slug, status, .. } = &self.tenant;
        let when = if self.changed { "now" } else { "already" };
        write!(f, "{slug} is {when} {status}")
    }
}

fn deleting(tenant: &Tenant) -> Failure {
    let slug = &tenant.slug;
    Failure::refused(Code::TenantDeleting, format!("{slug} is being deleted"))
        .hint(format!("`tenantry tenant resume {slug} --undelete` takes the mark back, if its data is still there"))
}

fn expired(tenant: &Tenant) -> Failure {
    Failure::refused(Code::TenantExpired, format!("the time of {} is up", tenant.slug))
}

fn provisioning(tenant: &Tenant) -> Failure {
    Failure::refused(Code::TenantProvisioning, format!("{} is being prepared", tenant.slug))
}
