//! `tenantry explain`: what becomes of a statement.

use std::fmt;

use serde::Serialize;
use tenantry::{ScopeError, sql::Plan};

use super::{input::Input, target::Which};
use crate::{failure::Failure, output::Output, settings::Settings};

/// Shows statements as they are run for a tenant, or why they are refused.
///
/// With --json, or for more than one statement, a line of JSON for each.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    input: Input,
}

impl Explain {
    pub(crate) async fn run(self, settings: &Settings, output: Output) -> Result<(), Failure> {
        let target = self.which.open(settings, &[]).await?;
        let statements = self.input.statements()?;
        let lines = output == Output::Json || statements.len() > 1;
        for statement in statements {
            let verdict = match target.pool.plan(&statement).await {
                Ok(plan) => Verdict::scoped(&statement, &plan),
                Err(error) => match ScopeError::of(&error) {
                    Some(ScopeError::Refused(refused)) => Verdict::refused(&statement, refused),
                    _ => return Err(Failure::other("database", error.to_string())),
                },
            };
            if lines { Output::line(&verdict)? } else { output.print(&verdict)? }
        }
        Ok(())
    }
}

#[derive(Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Verdict {
    Scoped { statement: String, text: String, tenant: Option<Bound> },
    Refused { statement: String, code: &'static str, line: Option<usize>, column: Option<usize>, message: String },
}

/// Where the tenant is bound.
#[derive(Serialize)]
struct Bound {
    /// The number of the parameter.
    parameter: u32,
    /// Where it stands in the text, in bytes.
    at: Vec<usize>,
}

impl Verdict {
    fn scoped(statement: &str, plan: &Plan) -> Self {
        let tenant = plan.tenant.map(|parameter| {
            let mark = format!("?{parameter}");
            let found = plan.text.match_indices(&mark).map(|(at, _)| at);
            // ?1 is not in ?12.
            let whole = |at: &usize| !plan.text[at + mark.len()..].starts_with(|next: char| next.is_ascii_digit());
            Bound { parameter, at: found.filter(whole).collect() }
        });
        Self::Scoped { statement: statement.to_owned(), text: plan.text.to_string(), tenant }
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
            Self::Scoped { text, tenant: Some(bound), .. } => {
                write!(f, "{text}\n\n-- the tenant is parameter ?{}", bound.parameter)
            }
            Self::Scoped { text, tenant: None, .. } => write!(f, "{text}\n\n-- it names no table of tenants"),
            Self::Refused { message, .. } => f.write_str(message),
        }
    }
}
