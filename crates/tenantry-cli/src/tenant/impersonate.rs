//! `tenantry tenant impersonate`

use std::fmt;

use serde::Serialize;
use tenantry::{Code, Slug, entrance::ImpersonateError};

use super::{find::unknown, report::utc};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// The tenant that somebody has to look into.
#[derive(Debug, clap::Args)]
pub(crate) struct Impersonate {
    /// Its name
    slug: Slug,
    /// Why, for the audit log
    #[arg(long)]
    reason: String,
    /// As which of its users, in the application's words [default: whom the application chooses]
    #[arg(long = "as", value_name = "WHO")]
    who: Option<String>,
}

impl Impersonate {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let act = deployment.act().because(self.reason);
        let config = &deployment.config;
        let link = match config.impersonate(&catalog, &self.slug, self.who.as_deref(), &act).await {
            Ok(link) => link,
            Err(ImpersonateError::Unknown { tenant }) => return Err(unknown(deployment, &catalog, &tenant).await),
            Err(ImpersonateError::Catalog(error)) => return Err(deployment.failed(error)),
            Err(ImpersonateError::Keys(error)) => return Err(error.into()),
            Err(ImpersonateError::Refused(refusal)) => return Err(refused(refusal.code(), &self.slug)),
            Err(error @ ImpersonateError::NoReason { .. }) => {
                return Err(Failure::misused(error.to_string()).hint("`--reason` says why"));
            }
            Err(error) => return Err(Failure::other("impersonate", error.to_string())),
        };
        let whole = link.url.starts_with("http");
        output.print(&Made { slug: self.slug.to_string(), url: link.url, valid_until: utc(link.valid_until) })?;
        output.hint("it is good once, for whoever has it");
        if !whole {
            output.hint(&format!("it is the end of the link; {}", deployment.origin("entrance.address")));
        }
        Ok(())
    }
}

fn refused(code: Code, slug: &Slug) -> Failure {
    Failure::refused(code, format!("nobody gets into {slug}: {}", code.text()))
}

#[derive(Serialize)]
struct Made {
    slug: String,
    url: String,
    valid_until: Option<String>,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}
