//! A file that is not whole yet: it has another name until it is, and is gone when it never is.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    becomes: PathBuf,
    /// Keeps others from writing the same for as long as it is open.
    _lock: File,
}

impl Partial {
    /// Begins what is to become the file at `path`, beside it, in the place of what a killed process has left there. Only its
    /// owner may read it.
    pub(super) fn begin(path: &Path) -> io::Result<(Self, File)> {
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::IsADirectory.into()) };
        let mut partial = name.to_owned();
        partial.push(".partial");
        let partial = path.with_file_name(partial);
        let file = loop {
            let file = open(&partial)?;
            file.try_lock().map_err(|error| match error {
                TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
                TryLockError::Error(error) => error,
            })?;
            // Another export may have finished it since it was opened: then it is that one's archive.
            if is_at(&file, &partial)? {
                break file;
            }
        };
        let begun = Self { path: partial, becomes: path.to_owned(), _lock: file.try_clone()? };
        // What was left there may have been anybody's to read.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        file.set_len(0)?;
        Ok((begun, file))
    }

    /// Gives it its name, when it is on disk.
    pub(super) fn finish(mut self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.path, &self.becomes)?;
        let folder = self.becomes.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.path.clear();
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "half an archive is left over");
        }
    }
}

fn open(partial: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(partial)
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (here, there) = (file.metadata()?, fs::metadata(path));
    Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (here.dev(), here.ino())))
}

/// Elsewhere, what is open is not renamed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}
