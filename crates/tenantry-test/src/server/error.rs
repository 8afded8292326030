//! Why a test has no PostgreSQL.

use std::{fmt, io};

use thiserror::Error;

/// Why a test has no PostgreSQL. Its `Debug` is its text, since that is what a test shows that unwraps it.
#[derive(Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The server does not do what it was asked.
    #[error("the server for tests: {0}")]
    Database(#[from] sqlx::Error),
    /// No server was named.
    #[error(
        "there is no PostgreSQL server for tests; run `scripts/postgres with cargo nextest run …`, or set {variable} to \
         the URL of a role that may create databases and roles",
        variable = super::database::VARIABLE
    )]
    NoServer,
    /// `scripts/postgres` cannot be run.
    #[error("scripts/postgres cannot be run: {0}")]
    Script(#[from] io::Error),
    /// `scripts/postgres` failed.
    #[error("scripts/postgres failed: {said}")]
    Start {
        /// What it said.
        said: String,
    },
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
