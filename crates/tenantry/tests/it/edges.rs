//! Which crate may use which: ARCHITECTURE.md's rows, against `cargo metadata`.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// Each crate of ours with the crates of ours that it may use, row by row from the bottom.
const EDGES: &[(&str, &[&str])] = &[
    ("tenantry-core", &[]),
    ("tenantry-control", &["tenantry-core"]),
    ("tenantry-resource", &["tenantry-core"]),
    ("tenantry-sql", &[]),
    ("tenantry-sqlx", &["tenantry-core", "tenantry-resource", "tenantry-sql"]),
    ("tenantry-tower", &["tenantry-core", "tenantry-resource"]),
    ("tenantry-seaorm", &["tenantry-core", "tenantry-resource", "tenantry-sql", "tenantry-sqlx"]),
    (
        "tenantry",
        &["tenantry-control", "tenantry-core", "tenantry-resource", "tenantry-sql", "tenantry-sqlx", "tenantry-tower"],
    ),
    // The demo serves the examples.
    ("tenantry-cli", &["notes", "notes-saas", "notes-saas-postgres", "tenantry"]),
    ("tenantry-benches", &["notes", "notes-saas", "tenantry", "tenantry-sql", "tenantry-test"]),
    ("tenantry-test", &["tenantry-core", "tenantry-resource", "tenantry-sql", "tenantry-sqlx"]),
    // The example and its suite know nothing of us; the converted ones depend on the facade alone.
    ("notes", &[]),
    ("notes-saas", &["tenantry"]),
    ("notes-saas-postgres", &["tenantry"]),
    ("notes-suite", &[]),
];

/// Everything that the leaves may use: nothing that reads, writes, waits or connects.
const PURE: &[(&str, &[&str])] = &[
    ("tenantry-core", &["http", "serde_json", "sha2", "thiserror", "tracing"]),
    ("tenantry-sql", &["bumpalo", "pg_query", "quick_cache", "sqlite3-parser", "thiserror", "tracing"]),
];

#[test]
fn crates_use_only_what_is_below_them() {
    let packages = packages();
    for package in &packages {
        let allowed = EDGES.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{} is not in the table of edges", package.name));
        let ours = package.uses.iter().filter(|name| packages.iter().any(|package| package.name == **name));
        for used in ours {
            assert!(allowed.contains(&used.as_str()), "{} must not use {used}", package.name);
        }
    }
}

#[test]
fn the_leaves_perform_no_io() {
    let packages = packages();
    for (leaf, uses) in PURE {
        let leaf = packages.iter().find(|package| package.name == *leaf).unwrap();
        assert_eq!(leaf.uses, uses.iter().map(|name| (*name).to_owned()).collect());
    }
}

struct Package {
    name: String,
    /// Names of its dependencies, except those for tests alone.
    uses: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| Package {
            name: text(&package["name"]),
            uses: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect()
}
