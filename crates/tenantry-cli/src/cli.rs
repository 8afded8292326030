//! The command line: what can be typed, and what it leads to.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    adopt::Adopt,
    audit::Audit,
    completions::Completions,
    config::ConfigCommand,
    database::{Explain, Sql},
    deployment::Deployment,
    failure::Failure,
    keys::KeysCommand,
    migrate::Migrate,
    operation::OperationCommand,
    output::Output,
    plan::Plan,
    settings::SettingsCommand,
    tenant::TenantCommand,
    usage::Usage,
    user::UserCommand,
};

/// Multi-tenancy for existing web applications.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration [default: tenantry.toml where there is one, else the defaults]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Why this is done, for the audit log
    #[arg(long, global = true, value_name = "REASON")]
    why: Option<String>,
    /// Print one JSON document, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a tenant of an existing instance: its database's rows, ids kept
    Adopt(Adopt),
    /// Show who did what to which tenant
    Audit(Audit),
    /// Print the completions for a shell
    Completions(Completions),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    #[cfg(feature = "demo")]
    #[command(name = "demo")]
    Demo(crate::demo::Demo),
    /// Check the audit log, and ask PostgreSQL whether it keeps tenants apart by itself
    Doctor(crate::doctor::Doctor),
    /// Show what becomes of statements when they are scoped
    Explain(Explain),
    /// Replace the master key
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Run the application's migrations, on shared tables and on databases of tenants' own
    Migrate(Migrate),
    /// Look at what is being done to tenants, and go on with what was abandoned
    #[command(subcommand)]
    Operation(OperationCommand),
    /// Say what would become of an existing instance, table by table
    Plan(Plan),
    /// Look at the application's settings for tenants, and change them
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Run statements as a tenant
    Sql(Sql),
    /// Create, list and change tenants
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Show what tenants have used, and what their plans allow
    Usage(Usage),
    /// Add, list and change the local users of tenants
    #[command(subcommand)]
    User(UserCommand),
}

/// Runs the command line `args`, and tells how it ended.
pub(crate) async fn run(args: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error, &args),
    };
    let output = if cli.json { Output::Json } else { Output::Text };
    match cli.run(output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

impl Cli {
    /// The definition, for completions.
    pub(crate) fn definition() -> clap::Command {
        Self::command()
    }

    async fn run(self, output: Output) -> Result<(), Failure> {
        let deployment = || Deployment::load(self.config.as_deref(), self.why.clone());
        match self.command {
            Command::Adopt(command) => command.run(&deployment()?, output).await,
            Command::Audit(command) => command.run(&deployment()?, output).await,
            Command::Completions(command) => command.run(output),
            Command::Config(command) => command.run(&deployment()?, output),
            #[cfg(feature = "demo")]
            Command::Demo(_) if self.config.is_some() => {
                Err(Failure::misused("the demo has a configuration of its own, in the folder that --data names"))
            }
            #[cfg(feature = "demo")]
            Command::Demo(command) => command.run(output).await,
            Command::Doctor(command) => command.run(&deployment()?, output).await,
            Command::Explain(command) => command.run(&deployment()?, output).await,
            Command::Keys(command) => command.run(&deployment()?, output),
            Command::Migrate(command) => command.run(&deployment()?, output).await,
            Command::Operation(command) => command.run(&deployment()?, output).await,
            Command::Plan(command) => command.run(&deployment()?, output).await,
            Command::Settings(command) => command.run(&deployment()?, output).await,
            Command::Sql(command) => command.run(&deployment()?, output).await,
            Command::Tenant(command) => command.run(&deployment()?, output).await,
            Command::Usage(command) => command.run(&deployment()?, output).await,
            Command::User(command) => command.run(&deployment()?, output).await,
        }
    }
}

/// Help, version, or a command line that makes no sense.
fn not_understood(error: &clap::Error, args: &[OsString]) -> ExitCode {
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    if error.use_stderr() && json {
        return Output::Json.fail(&Failure::usage(error));
    }
    // Where even this cannot be written, the exit code has to do.
    error.print().ok();
    if error.use_stderr() { ExitCode::from(Failure::USAGE) } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::definition().debug_assert();
    }
}
