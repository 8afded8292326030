//! A database's file, with what SQLite keeps beside it, and what it is called as long as it is not whole.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What has this ending and belongs to the file.
pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// All that a database may consist of. The file itself comes last: where no more was removed than the others, it is one still.
pub(super) fn all_of(file: &Path) -> [PathBuf; 4] {
    ["-journal", "-wal", "-shm", ""].map(|end| beside(file, end))
}

/// The name of what becomes this file when an instance is copied to it.
pub(super) fn adopting(file: &Path) -> PathBuf {
    file.with_extension("db.adopting")
}

/// The name of what becomes this file when an archive is taken in.
pub(super) fn importing(file: &Path) -> PathBuf {
    file.with_extension("db.importing")
}

/// Removes a file, if it is there.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
