//! `tenantry explain`: what becomes of a statement.

use std::fmt;

use serde::Serialize;
use tenantry::{ScopeError, sql::Plan};

use super::{
    engine::Engine,
    input::Input,
    target::{Opened, Target, Which},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Shows statements as they are run for a tenant, or why they are refused.
///
/// With --json, or for more than one statement, a line of JSON for each.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    input: Input,
    /// Show also which tables the database would read, and by which keys
    #[arg(long)]
    plan: bool,
}

impl Explain {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        match self.which.open(deployment, &[]).await? {
            Opened::Sqlite(target) => self.run_on(&target, output).await,
            #[cfg(feature = "postgres")]
            Opened::Postgres(target) => self.run_on(&target, output).await,
        }
    }

    async fn run_on<DB: Engine>(&self, target: &Target<DB>, output: Output) -> Result<(), Failure> {
        let statements = self.input.statements(DB::DIALECT)?;
        let lines = output == Output::Json || statements.len() > 1;
        for statement in statements {
            let verdict = match self.verdict(target, &statement).await {
                Ok(verdict) => verdict,
                Err(error) => match ScopeError::of(&error) {
                    Some(ScopeError::Refused(refused)) => Verdict::refused(&statement, refused),
                    _ => return Err(Failure::other("database", error.to_string())),
                },
            };
            if lines { Output::line(&verdict)? } else { output.print(&verdict)? }
        }
        Ok(())
    }

    async fn verdict<DB: Engine>(&self, target: &Target<DB>, statement: &str) -> Result<Verdict, sqlx::Error> {
        let plan = target.pool.plan(statement).await?;
        let steps = if self.plan { Some(steps(target, statement).await?) } else { None };
        Ok(Verdict::scoped(statement, &plan, DB::MARK, steps))
    }
}

/// How the database would run the statement.
async fn steps<DB: Engine>(target: &Target<DB>, statement: &str) -> Result<Vec<String>, sqlx::Error> {
    let rows = target.pool.explain(statement, tenantry::Explain::Plan).await?;
    rows.iter().map(DB::step).collect()
}

#[derive(Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Verdict {
    Scoped {
        statement: String,
        text: String,
        tenant: Option<Bound>,
        #[serde(skip_serializing_if = "Option::is_none")]
        plan: Option<Vec<String>>,
    },
    Refused {
        statement: String,
        code: &'static str,
        line: Option<usize>,
        column: Option<usize>,
        message: String,
    },
}

/// Where the tenant is bound.
#[derive(Serialize)]
struct Bound {
    /// The number of the parameter.
    parameter: u32,
    /// As it is written.
    #[serde(skip)]
    name: String,
    /// Where it stands in the text, in bytes.
    at: Vec<usize>,
}

impl Verdict {
    fn scoped(statement: &str, plan: &Plan, mark: char, steps: Option<Vec<String>>) -> Self {
        let tenant = plan.tenant.map(|parameter| {
            let name = format!("{mark}{parameter}");
            let found = plan.text.match_indices(&name).map(|(at, _)| at);
            // ?1 is not in ?12.
            let whole = |at: &usize| !plan.text[at + name.len()..].starts_with(|next: char| next.is_ascii_digit());
            Bound { at: found.filter(whole).collect(), parameter, name }
        });
        Self::Scoped { statement: statement.to_owned(), text: plan.text.to_string(), tenant, plan: steps }
    }

    fn refused(statement: &str, refused: &tenantry::sql::Refused) -> Self {
        Self::Refused {
            statement: statement.to_owned(),
            code: refused.code.as_str(),
            line: refused.position.map(|position| position.line),
            column: refused.position.map(|position| position.column),
            message: refused.to_string(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scoped { text, tenant, plan, .. } => {
                match tenant {
                    Some(bound) => write!(f, "{text}\n\n-- the tenant is parameter {}", bound.name)?,
                    None => write!(f, "{text}\n\n-- it names no table of tenants")?,
                }
                plan.iter().flatten().try_for_each(|step| write!(f, "\n-- {step}"))
            }
            Self::Refused { message, .. } => f.write_str(message),
        }
    }
}
