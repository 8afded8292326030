//! `tenantry doctor`: whether the database keeps tenants apart by itself.

use std::fmt;

use serde::Serialize;

use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Asks the PostgreSQL server whether row-level security holds, and says how to mend what does not.
///
/// Ends with an error while something is broken; advice is none.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let Some(options) = deployment.config.postgres_options()? else {
            return Err(Failure::misused("doctor is for tables on PostgreSQL, and database.url is not configured"));
        };
        let found = tenantry::doctor(&options).await;
        let found = found.map_err(|error| Failure::other("database", error.to_string()))?;
        let examined = Examined { findings: found.iter().map(Found::from).collect() };
        output.print(&examined)?;
        match examined.findings.iter().filter(|found| found.broken).count() {
            0 => Ok(()),
            broken => {
                let text = format!("{broken} of the walls between tenants are broken");
                Err(Failure::other("broken", text).hint("run the SQL that stands beside each, and ask again"))
            }
        }
    }
}

#[derive(Serialize)]
struct Examined {
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    broken: bool,
    what: String,
    mend: String,
}

impl From<&tenantry::Finding> for Found {
    fn from(finding: &tenantry::Finding) -> Self {
        let broken = finding.severity == tenantry::Severity::Broken;
        Self { broken, what: finding.what.clone(), mend: finding.mend.clone() }
    }
}

impl fmt::Display for Examined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return f.write_str("row-level security holds");
        }
        for Found { broken, what, mend } in &self.findings {
            let kind = if *broken { "broken" } else { "advice" };
            writeln!(f, "{kind}: {what}\n  {}", mend.replace('\n', "\n  "))?;
        }
        Ok(())
    }
}
