//! The file below the catalog: making it, and noticing that it is another one.

use std::{fs, io, path::Path};

/// Which file this is, whatever its name. Where a system cannot say, all files are the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file at `path`.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::new(&metadata))
    }

    #[cfg(unix)]
    fn new(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    fn new(_: &fs::Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}

/// Makes an empty file unless there is one. Only its owner may read it, since it lists customers; SQLite gives its
/// companions the same mode.
pub(super) fn create(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_keeps_its_identity_when_it_moves() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        create(&a).unwrap();
        assert_eq!(fs::metadata(&a).unwrap().permissions().mode() & 0o777, 0o600);
        let id = FileId::of(&a).unwrap();
        fs::rename(&a, &b).unwrap();
        create(&a).unwrap();
        assert_eq!(FileId::of(&b).unwrap(), id);
        assert_ne!(FileId::of(&a).unwrap(), id);
    }
}
