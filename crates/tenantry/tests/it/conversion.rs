//! What it takes to convert an application to shared tables: counted, not claimed.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most lines of `examples/notes-saas` that may differ from, or be added to, `examples/notes`.
const LINES_MAX: usize = 40;

/// The same for `examples/notes-saas-postgres`. Four of its lines only leave it out of builds without PostgreSQL; an
/// application of its own would not have them.
const POSTGRES_LINES_MAX: usize = 44;

/// A converted application: what is in its folder, and each of its files with what it was before. Everything else is the
/// application's as it is.
struct Conversion {
    folder: &'static str,
    lines_max: usize,
    own: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
}

const SQLITE: Conversion = Conversion {
    folder: "examples/notes-saas",
    lines_max: LINES_MAX,
    own: &["cache.rs", "db.rs", "directory.rs", "files.rs", "jobs.rs", "lib.rs", "main.rs"],
    files: &[
        ("src/cache.rs", "src/cache.rs"),
        ("src/db.rs", "src/db.rs"),
        ("src/directory.rs", "src/directory.rs"),
        ("src/files.rs", "src/files.rs"),
        ("src/jobs.rs", "src/jobs.rs"),
        ("src/lib.rs", "src/lib.rs"),
        ("src/main.rs", "src/main.rs"),
        ("Cargo.toml", "Cargo.toml"),
    ],
};

/// It shares what has nothing to do with the database.
const POSTGRES: Conversion = Conversion {
    folder: "examples/notes-saas-postgres",
    lines_max: POSTGRES_LINES_MAX,
    own: &["db.rs", "lib.rs", "main.rs"],
    files: &[
        ("src/cache.rs", "../notes-saas/src/cache.rs"),
        ("src/postgres/db.rs", "src/db.rs"),
        ("src/directory.rs", "../notes-saas/src/directory.rs"),
        ("src/files.rs", "../notes-saas/src/files.rs"),
        ("src/jobs.rs", "../notes-saas/src/jobs.rs"),
        ("src/lib.rs", "src/lib.rs"),
        ("src/main.rs", "src/main.rs"),
        ("Cargo.toml", "Cargo.toml"),
    ],
};

#[test]
fn the_conversion_takes_no_more_lines_than_allowed() {
    for conversion in [SQLITE, POSTGRES] {
        let changed = conversion.changed();
        println!("{}, {} lines:\n{}", conversion.folder, changed.len(), changed.join("\n"));
        assert!(
            (1..=conversion.lines_max).contains(&changed.len()),
            "{} lines:\n{}",
            changed.len(),
            changed.join("\n")
        );
    }
}

#[test]
fn the_readme_shows_every_line_of_the_conversion() {
    let changed = SQLITE.changed();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for line in changed.iter().filter_map(|line| line.split_once(": ")) {
        assert!(readme.contains(&format!("+{}\n", line.1)), "README.md has to show {}", line.1);
    }
}

#[test]
fn whoever_counts_the_lines_counts_them_right() {
    for file in ["README.md", "CHANGELOG.md", "docs/converting.md"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        // Where a line of text ends does not matter.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for conversion in [SQLITE, POSTGRES] {
            let lines = conversion.changed().len();
            assert!(text.contains(&format!(" {lines} lines")), "{file}: {} has {lines} lines", conversion.folder);
        }
    }
}

#[test]
fn everything_else_is_the_application_as_it_is() {
    for Conversion { folder, own, files, .. } in [SQLITE, POSTGRES] {
        let source = root().join(folder).join("src");
        let found = fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<_> = found.collect();
        found.sort();
        assert_eq!(found, own);
        let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
        let borrowed = lib.lines().filter(|line| line.starts_with("#[path = \"../../notes/src/")).count();
        let modules = lib.lines().filter(|line| line.starts_with("mod ") || line.starts_with("pub mod ")).count();
        // lib.rs, main.rs and Cargo.toml are no modules.
        assert_eq!(borrowed + files.len() - 3, modules, "every other module is taken from examples/notes");
    }
}

impl Conversion {
    /// Every line that differs, with the file that it is in.
    fn changed(&self) -> Vec<String> {
        let changed = self.files.iter().map(|(before, after)| {
            let before = root().join("examples/notes").join(before);
            let differing = differing(&before, &root().join(self.folder).join(after));
            let file = after.trim_start_matches("../notes-saas/");
            differing.into_iter().map(move |line| format!("{file}: {line}"))
        });
        changed.flatten().collect()
    }
}

/// The lines of the converted file that the application's own does not have in this place.
fn differing(before: &Path, after: &Path) -> Vec<String> {
    let (before, after) = (lines(before), lines(after));
    // The longest common subsequence, from the end.
    let mut longest = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    for old in (0..before.len()).rev() {
        for new in (0..after.len()).rev() {
            longest[old][new] = match before[old] == after[new] {
                true => longest[old + 1][new + 1] + 1,
                false => longest[old + 1][new].max(longest[old][new + 1]),
            };
        }
    }
    let (mut old, mut added) = (0, Vec::new());
    for (new, line) in after.iter().enumerate() {
        while old < before.len() && before[old] != *line && longest[old + 1][new] == longest[old][new] {
            old += 1;
        }
        if old < before.len() && before[old] == *line && longest[old][new] == longest[old + 1][new + 1] + 1 {
            old += 1;
        } else {
            added.push(line.clone());
        }
    }
    added
}

/// The lines that count: not those that take a module from elsewhere, which a converted application has in its place, nor
/// those that give the package a name of its own.
fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let elsewhere =
        ["#[path", "name = \"notes", "description", "autotests", "[[test]]", "name = \"it\"", "path = \"tests"];
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.filter(|line| !elsewhere.iter().any(|start| line.starts_with(start))).map(str::to_owned).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
