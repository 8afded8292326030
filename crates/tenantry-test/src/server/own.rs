//! A server for one test.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::ServerError;

/// A server of a test's own, which it may stop and start: made by `scripts/postgres`, so only in Tenantry's own tree.
#[derive(Debug)]
pub struct TestServer {
    folder: TempDir,
    url: String,
}

impl TestServer {
    /// Makes a server and starts it, in about a second.
    ///
    /// # Errors
    ///
    /// A [`ServerError`] with what the script said, when PostgreSQL is missing for instance.
    pub fn start() -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new().prefix("tenantry-postgres.").tempdir()?;
        let url = script("start", folder.path())?;
        Ok(Self { folder, url })
    }

    /// The URL of its administrator. It is the same after a restart.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it, connections or not. What is in it stays.
    ///
    /// # Errors
    ///
    /// A [`ServerError`] with what the script said.
    pub fn stop(&self) -> Result<(), ServerError> {
        script("stop", self.folder.path()).map(drop)
    }

    /// Starts it again, at the same place.
    ///
    /// # Errors
    ///
    /// A [`ServerError`] with what the script said.
    pub fn start_again(&self) -> Result<(), ServerError> {
        script("start", self.folder.path()).map(drop)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        script("remove", self.folder.path()).ok();
    }
}

/// Runs `scripts/postgres VERB FOLDER`, and returns what it printed.
fn script(verb: &str, folder: &Path) -> Result<String, ServerError> {
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "scripts", "postgres"].iter().collect();
    let output = Command::new(script).arg(verb).arg(folder).output()?;
    if !output.status.success() {
        return Err(ServerError::Start { said: String::from_utf8_lossy(&output.stderr).trim().to_owned() });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
