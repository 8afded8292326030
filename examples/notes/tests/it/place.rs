//! Where a test's database is: a file of SQLite's.

use tempfile::TempDir;

/// A database without anything in it, which ends with the test.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.0.path().join("notes.db").display())
    }
}
