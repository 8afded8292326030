//! `tenantry operation certificate` and `verify`

use std::{fmt, fs, path::PathBuf};

use serde::Serialize;
use tenantry::{Certificate, OperationId, control::VerbError};

use crate::{deployment::Deployment, failure::Failure, output::Output, tenant::verb};

/// The erasure that is certified.
#[derive(Debug, clap::Args)]
pub(crate) struct Certify {
    /// Its number, as `tenantry operation list` shows it
    id: i64,
}

impl Certify {
    /// Always JSON: it is a document to keep.
    pub(crate) async fn run(self, deployment: &Deployment) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let control = catalog.control(deployment.config.plans()?);
        let found = control.ledger().history(None, Some(OperationId::new(self.id.saturating_add(1))), 1).await;
        let found = match found {
            Ok(found) => found.into_iter().find(|operation| operation.id.get() == self.id),
            Err(error) => return Err(verb::failed(deployment, &catalog, VerbError::Ledger(error)).await),
        };
        let unknown = || {
            Failure::misused(format!("there is no operation {}", self.id))
                .hint("`tenantry operation list` shows the operations there are")
        };
        let keys = deployment.config.master_keys()?;
        let certificate = Certificate::of(&found.ok_or_else(unknown)?, &keys)
            .map_err(|error| Failure::misused(format!("operation {}: {error}", self.id)))?;
        Output::Json.print(&Printed(&certificate))
    }
}

/// A certificate to look at.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The file
    file: PathBuf,
}

impl Verify {
    pub(crate) fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let name = self.file.display();
        let text = fs::read_to_string(&self.file)
            .map_err(|error| Failure::other("io", format!("{name} cannot be read: {error}")))?;
        let broken = || {
            Failure::other("certificate_broken", format!("{name} is no certificate of this deployment, or was changed"))
        };
        let certificate: Certificate = serde_json::from_str(&text).map_err(|_| broken())?;
        if !certificate.is_ours(&deployment.config.master_keys()?) {
            return Err(broken());
        }
        output.print(&Verified { verified: true, certificate: &certificate })
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Printed<'a>(&'a Certificate);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

#[derive(Serialize)]
struct Verified<'a> {
    verified: bool,
    certificate: &'a Certificate,
}

impl fmt::Display for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Certificate { name, ended_at, .. } = self.certificate;
        write!(f, "{name} was erased at {ended_at}, as this deployment certifies")
    }
}
