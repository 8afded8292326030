//! `tenantry operation`: what is being done to tenants, and what was.

use std::fmt;

use clap::Subcommand;
use serde::Serialize;
use tenantry::{
    Operation, OperationId, Slug,
    control::{Control, VerbError},
};

use crate::{
    deployment::Deployment,
    failure::Failure,
    output::Output,
    tenant::{Amounts, find, utc, verb},
};

mod certificate;

use self::certificate::{Certify, Verify};

/// Looks at operations on tenants, and goes on with those that were abandoned.
#[derive(Debug, Subcommand)]
pub(crate) enum OperationCommand {
    /// Print the certificate of an erasure: what was removed, sealed with the deployment's key
    Certificate(Certify),
    /// List operations, the latest first
    List(List),
    /// Go on with every operation whose worker is lost
    Resume(Resume),
    /// Say whether a certificate is this deployment's, and as it was made
    Verify(Verify),
}

/// How abandoned operations are gone on with.
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Say which they are, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Which operations are listed.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Those on one tenant
    slug: Option<Slug>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Those before this one
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
}

impl OperationCommand {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        match self {
            Self::Certificate(command) => command.run(deployment).await,
            Self::List(command) => command.run(deployment, output).await,
            Self::Resume(command) => command.run(deployment, output).await,
            Self::Verify(command) => command.run(deployment, output),
        }
    }
}

impl List {
    async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let tenant = match &self.slug {
            Some(slug) => Some(find(deployment, &catalog, slug).await?.id),
            None => None,
        };
        let control = catalog.control(deployment.config.plans()?);
        let operations = control.ledger().history(tenant, self.before.map(OperationId::new), self.limit).await;
        let operations = match operations {
            Ok(operations) => operations,
            Err(error) => return Err(verb::failed(deployment, &catalog, VerbError::Ledger(error)).await),
        };
        output.print(&Listed { operations: operations.iter().map(Row::new).collect() })
    }
}

impl Resume {
    async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        if self.dry_run {
            return match catalog.control(deployment.config.plans()?).dry_run().recover().await {
                Ok(abandoned) => {
                    output.print(&Abandoned { dry_run: true, abandoned: abandoned.iter().map(Row::new).collect() })
                }
                Err(error) => Err(verb::failed(deployment, &catalog, error).await),
            };
        }
        let recover = async |control: Control| control.recover().await;
        let recovered = verb::operate(deployment, output, &catalog, recover).await?;
        output.print(&Resumed { finished: recovered.ended.iter().map(Row::new).collect() })?;
        match recovered.failed.into_iter().next() {
            Some((_, error)) => Err(verb::failed(deployment, &catalog, error).await),
            None => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct Listed {
    operations: Vec<Row>,
}

#[derive(Serialize)]
struct Abandoned {
    dry_run: bool,
    abandoned: Vec<Row>,
}

#[derive(Serialize)]
struct Resumed {
    finished: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    tenant: String,
    verb: String,
    outcome: &'static str,
    steps: u32,
    amounts: Amounts,
    problem: Option<String>,
    began_at: Option<String>,
    ended_at: Option<String>,
}

impl Row {
    fn new(operation: &Operation) -> Self {
        Self {
            id: operation.id.get(),
            tenant: operation.slug.to_string(),
            verb: operation.verb.clone(),
            outcome: operation.outcome.map_or("unfinished", |outcome| outcome.as_str()),
            steps: operation.progress.steps,
            amounts: Amounts::of(operation),
            problem: operation.progress.problem.clone(),
            began_at: utc(operation.began_at),
            ended_at: operation.ended_at.and_then(utc),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_rows(f, &self.operations, "there are no operations")
    }
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_rows(f, &self.abandoned, "nothing was abandoned")
    }
}

impl fmt::Display for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.finished.len() {
            0 => writeln!(f, "nothing was abandoned"),
            1 => writeln!(f, "1 operation was gone on with, and has ended"),
            finished => writeln!(f, "{finished} operations were gone on with, and have ended"),
        }
    }
}

fn write_rows(f: &mut fmt::Formatter<'_>, rows: &[Row], none: &str) -> fmt::Result {
    if rows.is_empty() {
        return writeln!(f, "{none}");
    }
    writeln!(f, "{:>6}  {:<20}  {:<8}  {:<10}  {:<24}  WHAT", "ID", "TENANT", "VERB", "OUTCOME", "BEGAN")?;
    for row in rows {
        let began = row.began_at.as_deref().unwrap_or("unknown");
        let Row { id, tenant, verb, outcome, amounts, problem, .. } = row;
        write!(f, "{id:>6}  {tenant:<20}  {verb:<8}  {outcome:<10}  {began:<24}  {amounts}")?;
        match problem {
            Some(problem) => writeln!(f, "; {problem}")?,
            None => writeln!(f)?,
        }
    }
    Ok(())
}
