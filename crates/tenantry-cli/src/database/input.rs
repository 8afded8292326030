//! Statements, from wherever they are given.

use std::{
    fs,
    io::{self, Read},
    path::PathBuf,
};

use tenantry::sql::Dialect;

use crate::failure::Failure;

/// Where statements come from.
#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// The statements [default: standard input]
    statement: Vec<String>,
    /// A file with statements
    #[arg(long, value_name = "FILE", conflicts_with = "statement")]
    file: Option<PathBuf>,
}

impl Input {
    /// The statements, one by one.
    pub(super) fn statements(&self, dialect: Dialect) -> Result<Vec<String>, Failure> {
        let script = match (&self.file, self.statement.as_slice()) {
            (Some(file), _) => fs::read_to_string(file)
                .map_err(|error| Failure::other("io", format!("{} cannot be read: {error}", file.display())))?,
            (None, []) => {
                let mut text = String::new();
                io::stdin().lock().read_to_string(&mut text)?;
                text
            }
            (None, statements) => statements.join(";\n"),
        };
        // What cannot be taken apart is one statement, which will be refused.
        let statements = dialect.statements(&script).unwrap_or_else(|_| vec![script.as_str()]);
        Ok(statements.into_iter().map(str::to_owned).collect())
    }
}
