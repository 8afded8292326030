//! `tenantry keys`: replacing the master key.

use std::{env, fmt};

use clap::Subcommand;
use serde::Serialize;
use tenantry::MasterKeys;

use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Replaces the master key, in two steps so that nobody is signed out.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Put a new master key on top; what the old ones made stays valid
    Rotate,
    /// Take all but the newest master key away; what they made is no longer valid
    Retire,
}

impl KeysCommand {
    pub(crate) fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let file = &deployment.config.keys.file;
        let (outcome, next) = match self {
            Self::Rotate => (MasterKeys::rotate_file(file), ROTATED),
            Self::Retire => (MasterKeys::retire_file(file), RETIRED),
        };
        let keys = outcome.map_err(|error| Failure::from(error).hint(deployment.origin("keys.file")))?;
        let ids: Vec<_> = keys.ids().map(|id| id.to_string()).collect();
        output.print(&Keys { file: file.display().to_string(), ids })?;
        output.hint(next);
        if env::var_os(VARIABLE).is_some() {
            output.hint(&format!("{VARIABLE} is set here, and wins over the file where it is"));
        }
        Ok(())
    }
}

/// The names of the keys, the current one first.
#[derive(Serialize)]
struct Keys {
    file: String,
    ids: Vec<String>,
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (current, former) = self.ids.split_first().map_or(("none", &[][..]), |(id, rest)| (id.as_str(), rest));
        writeln!(f, "file     {}", self.file)?;
        writeln!(f, "current  {current}")?;
        former.iter().try_for_each(|id| writeln!(f, "former   {id}"))
    }
}

/// Has the master keys where it is set.
const VARIABLE: &str = "TENANTRY_MASTER_KEY";

const ROTATED: &str =
    "restart every process that uses the file; once old sessions have ended, `tenantry keys retire` removes old keys";

const RETIRED: &str = "restart every process that uses the file";
