//! `tenantry completions`: what the shell has to know.

use std::fmt;

use clap_complete::Shell;
use serde::Serialize;

use crate::{cli::Cli, failure::Failure, output::Output};

/// Completions for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::definition(), "tenantry", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        output.print(&Script { shell: self.shell.to_string(), script })
    }
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.script)
    }
}
