//! `tenantry config`: what is in effect.

use std::fmt;

use clap::Subcommand;
use serde::Serialize;
use tenantry::config::Config;

use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Looks at the configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with the configuration, or show what is in effect, defaults included
    Check,
}

impl ConfigCommand {
    pub(crate) fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        match self {
            // The configuration was read on the way here, which is the check.
            Self::Check => output.print(&Checked {
                ok: true,
                file: deployment.file.as_ref().map(|file| file.display().to_string()),
                config: &deployment.config,
            }),
        }
    }
}

#[derive(Serialize)]
struct Checked<'a> {
    ok: bool,
    file: Option<String>,
    config: &'a Config,
}

impl fmt::Display for Checked<'_> {
    /// As TOML with the verdict as a comment, so that it can be put into a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => writeln!(f, "# ok: {file}, with defaults for what it does not say")?,
            None => writeln!(f, "# ok: there is no {}, so these are the defaults", Config::FILE_NAME)?,
        }
        write!(f, "\n{}", self.config.to_toml())
    }
}
