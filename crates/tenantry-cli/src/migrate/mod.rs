//! `tenantry migrate`: the application's migrations, on the tables that tenants share and on the databases that they have of
//! their own.

mod needed;
mod report;

use std::num::NonZeroUsize;

use tenantry::{
    CatalogStore, Code, Slug,
    control::{Canaries, Control, Migrated, Reached, RolledOut, Rollout},
};

use self::{needed::Needed, report::Report};
use crate::{deployment::Deployment, failure::Failure, output::Output, progress::Progress, tenant::verb};

/// Runs the application's migrations: once on the tables that tenants share, and then on each database that a tenant has of its
/// own, some at a time.
///
/// Migrations are read from the folder that `database.migrations` of the configuration names. A tenant works on meanwhile.
/// Whatever stops it, the next call goes on with what is left.
#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    /// Only the databases of these tenants, after the shared tables
    #[arg(long = "tenant", value_name = "TENANT", num_args = 1..)]
    tenants: Vec<Slug>,
    /// These come first, one after the other; if one of them fails, no other is tried
    #[arg(long = "canary", value_name = "TENANT", num_args = 1.., conflicts_with = "canaries")]
    named: Vec<Slug>,
    /// So many come first [default: migrate.canaries]
    #[arg(long, value_name = "NUMBER")]
    canaries: Option<usize>,
    /// So many at once [default: migrate.concurrency_max]
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<NonZeroUsize>,
    /// Say what each database needs, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let control = deployment.control(&catalog).await?;
        let rollout = self.rollout(deployment);
        match self.dry_run {
            true => look(deployment, &catalog, &control, &rollout, output).await,
            false => migrate(deployment, &catalog, &control, &rollout, output).await,
        }
    }

    fn rollout(&self, deployment: &Deployment) -> Rollout {
        let mut rollout = deployment.config.migrate.rollout();
        rollout.tenants.clone_from(&self.tenants);
        if let Some(first) = self.canaries {
            rollout.canaries = Canaries::First(first);
        }
        if !self.named.is_empty() {
            rollout.canaries = Canaries::Named(self.named.clone());
        }
        if let Some(concurrency) = self.concurrency {
            rollout.concurrency = concurrency;
        }
        rollout
    }
}

async fn look(
    deployment: &Deployment,
    catalog: &CatalogStore,
    control: &Control,
    rollout: &Rollout,
    output: Output,
) -> Result<(), Failure> {
    let needed = match control.pending_migrations(rollout).await {
        Ok(needed) => Needed::new(&needed),
        Err(error) => return Err(verb::failed(deployment, catalog, error).await),
    };
    output.print(&needed)?;
    match needed.unknown() {
        0 => Ok(()),
        unknown => Err(Failure::refused(Code::MigrationFailed, format!("{unknown} could not be migrated now"))),
    }
}

async fn migrate(
    deployment: &Deployment,
    catalog: &CatalogStore,
    control: &Control,
    rollout: &Rollout,
    output: Output,
) -> Result<(), Failure> {
    let progress = Progress::new(output);
    progress.begin("migrate");
    let told = |reached: &Reached<'_>| {
        let Reached { tenant, outcome, reached, total, .. } = reached;
        progress.at(*reached as u64, *total as u64);
        progress.say(|| format!("databases, {tenant} {}", outcome.as_str()));
    };
    let rolled_out = control.migrate(rollout, told).await;
    progress.end();
    match rolled_out {
        Ok(rolled_out) => {
            output.print(&Report::new(&rolled_out))?;
            ended(&rolled_out)
        }
        Err(error) => Err(verb::failed(deployment, catalog, error).await),
    }
}

/// How it ended, for the shell.
fn ended(rolled_out: &RolledOut) -> Result<(), Failure> {
    let count = |is: fn(&Migrated) -> bool| rolled_out.tenants.iter().filter(|(_, outcome)| is(outcome)).count();
    let failed = count(|outcome| matches!(outcome, Migrated::Failed { .. }));
    let busy = count(|outcome| matches!(outcome, Migrated::Busy { .. }));
    match &rolled_out.paused {
        Some(pause) => Err(Failure::refused(Code::MigrationPaused, pause.to_string())),
        None if failed > 0 => Err(Failure::refused(Code::MigrationFailed, format!("{failed} could not be migrated"))),
        None if busy > 0 => {
            let text = format!("something else is being done to {busy} tenants, whose databases are not migrated yet");
            Err(Failure::refused(Code::OperationRunning, text).hint("run it again when that has ended"))
        }
        None => Ok(()),
    }
}
