//! Tidiness that a reader can rely on.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_example_knows_nothing_of_us() {
    for file in files("examples/notes", |_| true) {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).to_lowercase();
        assert!(!text.contains("tenan"), "{} knows of tenants", file.display());
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for file in files("", is_rust) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} does not begin with `//! `", file.display());
    }
}

#[test]
fn files_are_small() {
    for file in files("", is_rust) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap().lines();
        let lines = code.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        assert!(lines <= 400, "{} has {lines} lines of code", file.display());
    }
}

#[test]
fn no_drawer_is_called_utilities() {
    for file in files("", is_rust) {
        let names = file.iter().filter_map(|part| part.to_str());
        for name in names {
            let stem = name.trim_end_matches(".rs");
            assert!(!["util", "utils", "common", "helper", "helpers", "misc"].contains(&stem), "{}", file.display());
        }
    }
}

#[test]
fn a_table_of_modules_names_all_of_them_and_no_others() {
    let mut tables = 0;
    for file in files("", |file| file.ends_with("mod.rs") || file.ends_with("lib.rs")) {
        let text = fs::read_to_string(&file).unwrap();
        let Some(named) = named_modules(&text) else { continue };
        assert_eq!(named, modules(&text), "{}: on the left what its table names", file.display());
        tables += 1;
    }
    assert!(tables > 0);
}

#[test]
fn the_architecture_can_be_read_in_one_sitting() {
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines <= 300, "ARCHITECTURE.md has {lines} lines");
}

/// What stands in the first column of the table `| module | … |`, where there is one.
fn named_modules(text: &str) -> Option<BTreeSet<&str>> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("//! | module |"));
    lines.next()?;
    let rows = lines.map_while(|line| line.strip_prefix("//! |")?.split('|').next());
    Some(rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect())
}

/// The modules that are declared with a file of their own, but for tests.
fn modules(text: &str) -> BTreeSet<&str> {
    let declared = text.lines().filter_map(|line| line.strip_suffix(';')?.split_once("mod "));
    let modules =
        declared.filter(|(before, name)| (before.is_empty() || before.starts_with("pub")) && *name != "tests");
    modules.map(|(_, name)| name).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn is_rust(file: &Path) -> bool {
    // The inputs of tests that must not compile are not ours to read.
    file.extension().is_some_and(|extension| extension == "rs")
        && !file.components().any(|part| part.as_os_str() == "ui")
}

/// The files below `folder` that `wanted` picks, without what is built or hidden.
fn files(folder: &str, wanted: fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') || name == "target" || name == "data" || name.contains(".db") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&path) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty());
    found
}
