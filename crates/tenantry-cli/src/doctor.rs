//! `tenantry doctor`: whether what keeps tenants apart, and what is written down of them, is as it should be.

use std::fmt;

use serde::Serialize;

use crate::{
    audit::{Checked, check},
    deployment::Deployment,
    failure::Failure,
    output::Output,
};

/// Checks that the audit log is what was written, and asks a PostgreSQL server whether it keeps tenants apart by itself.
///
/// Says how to mend what is broken, and ends with an error then; advice is none.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let audit = check(deployment, &catalog).await?;
        let examined = Examined { audit, walls: walls(deployment).await? };
        output.print(&examined)?;
        match examined.walls.iter().flatten().filter(|found| found.broken).count() {
            0 => Ok(()),
            broken => {
                let text = format!("{broken} of the walls between tenants are broken");
                Err(Failure::other("broken", text).hint("run the SQL that stands beside each, and ask again"))
            }
        }
    }
}

/// What there is to say of the walls on the server; nothing where no server has the tables.
#[cfg(feature = "postgres")]
async fn walls(deployment: &Deployment) -> Result<Option<Vec<Found>>, Failure> {
    let Some(options) = deployment.config.postgres_options()? else { return Ok(None) };
    let found = tenantry::doctor(&options).await;
    let found = found.map_err(|error| Failure::other("database", error.to_string()))?;
    let found = found.into_iter().map(|finding| Found {
        broken: finding.severity == tenantry::Severity::Broken,
        what: finding.what,
        mend: finding.mend,
    });
    Ok(Some(found.collect()))
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "with PostgreSQL a server is asked")]
async fn walls(_: &Deployment) -> Result<Option<Vec<Found>>, Failure> {
    Ok(None)
}

#[derive(Serialize)]
struct Examined {
    audit: Checked,
    walls: Option<Vec<Found>>,
}

#[derive(Serialize)]
struct Found {
    broken: bool,
    what: String,
    mend: String,
}

impl fmt::Display for Examined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "audit log: {}", self.audit)?;
        let Some(found) = &self.walls else {
            return f.write_str("row-level security: not asked, since the tables are in SQLite");
        };
        if found.is_empty() {
            return f.write_str("row-level security holds");
        }
        for Found { broken, what, mend } in found {
            let kind = if *broken { "broken" } else { "advice" };
            writeln!(f, "{kind}: {what}\n  {}", mend.replace('\n', "\n  "))?;
        }
        Ok(())
    }
}
