//! What would be done.

use std::fmt;

use serde::Serialize;
use tenantry::{
    MigrationName, Slug,
    control::{self, Needs},
};

use crate::output::fitting;

/// What each database needs.
#[derive(Serialize)]
pub(super) struct Needed {
    dry_run: bool,
    shared: Vec<Migration>,
    tenants: Vec<Row>,
}

#[derive(Serialize)]
struct Migration {
    version: i64,
    description: String,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    has_database: bool,
    migrations: Vec<Migration>,
    problem: Option<String>,
}

impl Needed {
    pub(super) fn new(needed: &control::Needed) -> Self {
        Self {
            dry_run: true,
            shared: needed.shared.iter().map(Migration::new).collect(),
            tenants: needed.tenants.iter().map(|(tenant, needs)| Row::new(tenant, needs)).collect(),
        }
    }

    /// Of how many it cannot be said.
    pub(super) fn unknown(&self) -> usize {
        self.tenants.iter().filter(|row| row.problem.is_some()).count()
    }
}

impl Migration {
    fn new(name: &MigrationName) -> Self {
        Self { version: name.version, description: name.description.clone() }
    }
}

impl Row {
    fn new(tenant: &Slug, needs: &Needs) -> Self {
        let (has_database, migrations, problem) = match needs {
            Needs::Migrations(migrations) => (true, migrations.iter().map(Migration::new).collect(), None),
            Needs::NoDatabase => (false, Vec::new(), None),
            Needs::Unknown { problem } => (true, Vec::new(), Some(problem.clone())),
        };
        Self { tenant: tenant.to_string(), has_database, migrations, problem }
    }

    fn cells(&self) -> Vec<String> {
        let needs = match (&self.problem, self.has_database, self.migrations.as_slice()) {
            (Some(_), ..) => "unknown".to_owned(),
            (None, false, _) => "no database yet".to_owned(),
            (None, true, []) => "up to date".to_owned(),
            (None, true, some) => some.len().to_string(),
        };
        vec![self.tenant.clone(), needs]
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shared.as_slice() {
            [] => writeln!(f, "shared tables: up to date")?,
            some => writeln!(f, "shared tables: {} to be applied", some.len())?,
        }
        for Migration { version, description } in &self.shared {
            writeln!(f, "  {version} ({description})")?;
        }
        if self.tenants.is_empty() {
            return write!(f, "no tenant has a database of its own");
        }
        let cells: Vec<_> = self.tenants.iter().map(Row::cells).collect();
        writeln!(f, "\n{}", fitting(&["TENANT", "MIGRATIONS"], &cells))?;
        for Row { tenant, problem, .. } in &self.tenants {
            if let Some(problem) = problem {
                writeln!(f, "\n{tenant}: {problem}")?;
            }
        }
        Ok(())
    }
}
