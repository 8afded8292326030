//! The command line of Tenantry.

mod adopt;
mod audit;
mod cli;
mod completions;
mod config;
mod database;
#[cfg(feature = "demo")]
mod demo;
mod deployment;
mod doctor;
mod failure;
mod instance;
mod keys;
mod migrate;
mod operation;
mod output;
mod plan;
mod progress;
mod settings;
mod tenant;
mod usage;
mod user;

use std::{io::IsTerminal, process::ExitCode};

use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal());
    log.with_writer(output::log).init();
    cli::run(std::env::args_os().collect()).await
}

/// What is logged unless `RUST_LOG` says otherwise. What the parser says of a statement is in the refusal.
const LOG: &str = "warn,sqlite3Parser=off";
