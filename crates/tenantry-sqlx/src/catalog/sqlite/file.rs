//! The file below the catalog: noticing that it is another one.

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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::owner_only::create;

    #[test]
    fn a_file_keeps_its_identity_when_it_moves() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        create(&a).unwrap();
        let id = FileId::of(&a).unwrap();
        fs::rename(&a, &b).unwrap();
        create(&a).unwrap();
        assert_eq!(FileId::of(&b).unwrap(), id);
        assert_ne!(FileId::of(&a).unwrap(), id);
    }
}
