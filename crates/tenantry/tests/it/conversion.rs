//! What it takes to convert an application to shared tables: counted, not claimed.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most lines that may differ from, or be added to, `examples/notes`.
const LINES_MAX: usize = 40;

/// A converted application, and what its `db.rs` was before.
struct Conversion {
    folder: &'static str,
    db: &'static str,
}

const SQLITE: Conversion = Conversion { folder: "examples/notes-saas", db: "src/db.rs" };
const POSTGRES: Conversion = Conversion { folder: "examples/notes-saas-postgres", db: "src/postgres/db.rs" };

#[test]
fn the_conversion_takes_no_more_than_forty_lines() {
    for conversion in [SQLITE, POSTGRES] {
        let changed = conversion.changed();
        println!("{}, {} lines:\n{}", conversion.folder, changed.len(), changed.join("\n"));
        assert!((1..=LINES_MAX).contains(&changed.len()), "{} lines:\n{}", changed.len(), changed.join("\n"));
    }
}

#[test]
fn the_readme_shows_every_line_of_the_conversion() {
    let changed = SQLITE.changed();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let claim = format!("{} lines", changed.len());
    assert!(readme.contains(&claim), "README.md has to say that the conversion takes {claim}");
    for line in changed.iter().filter_map(|line| line.split_once(": ")) {
        assert!(readme.contains(&format!("+{}\n", line.1)), "README.md has to show {}", line.1);
    }
}

#[test]
fn everything_else_is_the_application_as_it_is() {
    for Conversion { folder, .. } in [SQLITE, POSTGRES] {
        let source = root().join(folder).join("src");
        let own: Vec<_> = fs::read_dir(&source).unwrap().map(|entry| entry.unwrap()).collect();
        let names: Vec<_> = own.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert_eq!(names.len(), 3, "only db.rs, lib.rs and main.rs are its own: {names:?}");
        let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
        let borrowed = lib.lines().filter(|line| line.starts_with("#[path = \"../../notes/src/")).count();
        let modules = lib.lines().filter(|line| line.starts_with("mod ") || line.starts_with("pub mod ")).count();
        assert_eq!(borrowed + 1, modules, "every module but db is taken from examples/notes");
    }
}

impl Conversion {
    /// Every line that differs, with the file that it is in.
    fn changed(&self) -> Vec<String> {
        let files = [(self.db, "src/db.rs"), ("src/lib.rs", "src/lib.rs"), ("src/main.rs", "src/main.rs")];
        let files = files.into_iter().chain([("Cargo.toml", "Cargo.toml")]);
        let changed = files.map(|(before, after)| {
            let before = root().join("examples/notes").join(before);
            let differing = differing(&before, &root().join(self.folder).join(after));
            differing.into_iter().map(move |line| format!("{after}: {line}"))
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
