//! What was done.

use std::fmt;

use serde::Serialize;
use tenantry::{
    Slug,
    control::{Migrated, RolledOut},
};

use crate::output::fitting;

/// What a rollout has done.
#[derive(Serialize)]
pub(super) struct Report {
    shared: Shared,
    tenants: Vec<Row>,
    totals: Totals,
    paused: Option<String>,
}

#[derive(Serialize)]
struct Shared {
    migrations: u64,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    outcome: &'static str,
    operation: Option<i64>,
    migrations: u64,
    problem: Option<String>,
}

#[derive(Default, Serialize)]
struct Totals {
    migrated: usize,
    up_to_date: usize,
    no_database: usize,
    failed: usize,
    busy: usize,
    gone: usize,
    not_reached: usize,
}

impl Report {
    pub(super) fn new(rolled_out: &RolledOut) -> Self {
        let mut totals = Totals::default();
        for (_, outcome) in &rolled_out.tenants {
            *totals.of(outcome) += 1;
        }
        Self {
            shared: Shared { migrations: rolled_out.shared },
            tenants: rolled_out.tenants.iter().map(|(tenant, outcome)| Row::new(tenant, outcome)).collect(),
            totals,
            paused: rolled_out.paused.as_ref().map(ToString::to_string),
        }
    }
}

impl Row {
    fn new(tenant: &Slug, outcome: &Migrated) -> Self {
        let (operation, migrations, problem) = match outcome {
            Migrated::Done { operation, migrations } => (Some(*operation), *migrations, None),
            Migrated::Failed { operation, problem } => (Some(*operation), 0, Some(problem.clone())),
            Migrated::Busy { why } => (None, 0, Some(why.clone())),
            _ => (None, 0, None),
        };
        Self {
            tenant: tenant.to_string(),
            outcome: outcome.as_str(),
            operation: operation.map(|id| id.get()),
            migrations,
            problem,
        }
    }

    fn cells(&self) -> Vec<String> {
        let operation = self.operation.map_or_else(|| "-".to_owned(), |id| id.to_string());
        vec![self.tenant.clone(), self.outcome.to_owned(), self.migrations.to_string(), operation]
    }
}

impl Totals {
    fn of(&mut self, outcome: &Migrated) -> &mut usize {
        match outcome {
            Migrated::Busy { .. } => &mut self.busy,
            Migrated::Done { .. } => &mut self.migrated,
            Migrated::Failed { .. } => &mut self.failed,
            Migrated::Gone => &mut self.gone,
            Migrated::NoDatabase => &mut self.no_database,
            Migrated::UpToDate => &mut self.up_to_date,
            _ => &mut self.not_reached,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shared.migrations {
            0 => writeln!(f, "shared tables: up to date")?,
            migrations => writeln!(f, "shared tables: {migrations} applied")?,
        }
        writeln!(f, "databases of tenants' own: {}", self.totals)?;
        // Where nothing had to be done there is nothing to say.
        let quiet = |row: &&Row| !["up to date", "no database"].contains(&row.outcome);
        let rows: Vec<_> = self.tenants.iter().filter(quiet).collect();
        if !rows.is_empty() {
            let cells: Vec<_> = rows.iter().map(|row| row.cells()).collect();
            writeln!(f, "\n{}", fitting(&["TENANT", "OUTCOME", "MIGRATIONS", "OPERATION"], &cells))?;
        }
        for Row { tenant, problem, .. } in rows {
            if let Some(problem) = problem {
                writeln!(f, "\n{tenant}: {problem}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.migrated, "migrated"),
            (self.up_to_date, "up to date"),
            (self.no_database, "not made yet"),
            (self.failed, "failed"),
            (self.busy, "busy"),
            (self.gone, "gone"),
            (self.not_reached, "not reached"),
        ];
        let said: Vec<_> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if said.is_empty() { f.write_str("none") } else { f.write_str(&said.join(", ")) }
    }
}
