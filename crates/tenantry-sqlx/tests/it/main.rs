//! The catalog, the tables that tenants share and the stores, as their users see them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

mod adopt;
#[cfg(feature = "postgres")]
mod adopt_postgres;
mod archive;
mod bad_luck;
mod compliance;
mod follow;
mod ledger;
mod limits;
mod logic;
mod macros;
mod migrating;
mod model;
mod moves;
mod once;
#[cfg(feature = "postgres")]
mod pg_catalog;
#[cfg(feature = "postgres")]
mod pg_follow;
mod planes;
#[cfg(feature = "postgres")]
mod planes_postgres;
mod recording;
mod sqlite;
mod usage;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tenantry_core::NewTenant;
use tenantry_sqlx::{OpenOptions, SqliteCatalog};

/// A folder for a catalog, gone at the end of the test.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn path(&self) -> PathBuf {
        self.folder().join("tenantry.db")
    }

    async fn open(&self) -> SqliteCatalog {
        SqliteCatalog::open(self.path(), OpenOptions::create_if_missing()).await.unwrap()
    }
}

fn new(slug: &str, aliases: &[&str]) -> NewTenant {
    let mut new = NewTenant::new(slug.parse().unwrap());
    new.aliases = aliases.iter().map(|alias| alias.parse().unwrap()).collect();
    new
}
mod scoped;
#[cfg(feature = "postgres")]
mod shared_postgres;
