//! A local folder: what it needs that other stores do not.
//!
//! Files are written by `object_store`, which stages each beside its place (`name#1`) and renames it when it is whole and on
//! disk. All else is done here, since `object_store` follows symbolic links, has no place for a content type, and leaves
//! what a killed process has staged.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use walkdir::WalkDir;

/// The folder with the uploads of all tenants.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

/// A file as it is found.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path below the root.
    pub(super) path: String,
    pub(super) metadata: Metadata,
}

/// A file that was opened to be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) metadata: Metadata,
    pub(super) content_type: String,
}

impl Folder {
    /// Opens the folder, which is made when it is missing, and the store that writes into it.
    pub(super) fn open(path: &Path) -> io::Result<(Self, LocalFileSystem)> {
        create_private(path, true)?;
        let root = path.canonicalize()?;
        let store = LocalFileSystem::new_with_prefix(&root).map_err(io::Error::other)?.with_fsync(true);
        Ok((Self { root }, store))
    }

    /// Makes the folder of a tenant, for its owner only, and says whether the place can be written to.
    pub(super) fn prepare(&self, tenant: &str, path: &str) -> io::Result<()> {
        let folder = self.root.join(tenant);
        if !folder.is_dir() {
            create_private(&folder, false)?;
            File::open(&self.root)?.sync_all()?;
        }
        self.confined(path).map(drop)
    }

    /// Leaves a file that was just written to its owner only.
    pub(super) fn make_private(&self, path: &str) -> io::Result<()> {
        make_private(&self.root.join(path))
    }

    /// How much content the file has, if there is one.
    pub(super) fn size(&self, path: &str) -> io::Result<Option<u64>> {
        match fs::symlink_metadata(self.confined(path)?) {
            Ok(metadata) => Ok(Some(content_len(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the file, if there is one.
    pub(super) fn read(&self, path: &str) -> io::Result<Option<Opened>> {
        let mut file = match File::open(self.confined(path)?) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let mut trailer = [0; TRAILER_LEN];
        file.seek(SeekFrom::Start(content_len(&metadata)))?;
        // What is shorter has no trailer.
        file.read_exact(&mut trailer).map_err(|_| foreign(path))?;
        let content_type = str::from_utf8(&trailer).ok().and_then(|text| text.strip_prefix(TRAILER));
        let content_type = content_type.ok_or_else(|| foreign(path))?.trim_end_matches('\n').to_owned();
        Ok(Some(Opened { file, metadata, content_type }))
    }

    /// Removes the file, and the folders above it that are empty then, up to the tenant's own.
    pub(super) fn delete(&self, path: &str) -> io::Result<()> {
        let file = self.confined(path)?;
        fs::remove_file(&file)?;
        let depth = Path::new(path).components().count();
        for above in file.ancestors().skip(1).take(depth.saturating_sub(2)) {
            // Not empty, or somebody else was faster: both are fine.
            if fs::remove_dir(above).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Copies a file to a place where none is yet, and says how much content it has; nothing if there is no file. It is whole
    /// and on disk before it is seen.
    pub(super) fn copy(&self, from: &str, to: &str) -> io::Result<Option<u64>> {
        let source = self.confined(from)?;
        self.prepare(to.split('/').next().unwrap_or_default(), to)?;
        let target = self.root.join(to);
        if let Some(above) = target.parent() {
            fs::create_dir_all(above)?;
        }
        // As `object_store` stages what it writes, so that what a killed process leaves is swept like that.
        let staged = self.root.join(format!("{to}#0"));
        match fs::copy(&source, &staged) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        make_private(&staged)?;
        let file = File::open(&staged)?;
        file.sync_all()?;
        let bytes = content_len(&file.metadata()?);
        fs::rename(&staged, &target)?;
        Ok(Some(bytes))
    }

    /// Removes the folder of a tenant and all that is in it.
    pub(super) fn remove(&self, tenant: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.root.join(tenant)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The files below a path, in no particular order. What was staged and not written to for so long is removed.
    pub(super) fn files(
        &self,
        below: &str,
        parts_max_age: Duration,
    ) -> impl Iterator<Item = io::Result<Found>> + use<> {
        let root = self.root.clone();
        let walk = WalkDir::new(root.join(below)).follow_links(false).into_iter();
        walk.filter_map(move |entry| {
            let read = entry.and_then(|entry| Ok((entry.metadata()?, entry)));
            match read.map_err(io::Error::from) {
                Ok((metadata, entry)) if metadata.is_file() => {
                    let path = entry.path().strip_prefix(&root).ok()?.to_str()?;
                    if is_part(path) {
                        sweep(entry.path(), &metadata, parts_max_age);
                        return None;
                    }
                    Some(Ok(Found { path: path.to_owned(), metadata }))
                }
                Ok(_) => None,
                // It was there a moment ago, or the tenant has no folder yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => Some(Err(error)),
            }
        })
    }

    /// The path of a file, if none of what is on the way is a symbolic link.
    ///
    /// Uploads make no links. One that somebody else has made could lead to another tenant's files, or anywhere.
    fn confined(&self, path: &str) -> io::Result<PathBuf> {
        let mut at = self.root.clone();
        for part in Path::new(path) {
            at.push(part);
            match fs::symlink_metadata(&at) {
                Ok(metadata) if metadata.is_symlink() => {
                    let text = format!("{} is a symbolic link, which is not followed", at.display());
                    return Err(io::Error::other(text));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            }
        }
        Ok(self.root.join(path))
    }
}

impl Opened {
    /// Where the content begins and ends in the file.
    pub(super) fn content_len(&self) -> u64 {
        content_len(&self.metadata)
    }
}

/// The bytes from `start` of the content on, at most `max`.
pub(super) fn read_content(file: &mut File, start: u64, max: usize) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::with_capacity(max);
    file.take(max as u64).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// What stands behind a file's content.
pub(super) fn trailer(content_type: &str) -> Bytes {
    let mut text = format!("{TRAILER}{content_type}");
    text.extend(std::iter::repeat_n('\n', TRAILER_LEN.saturating_sub(text.len())));
    text.into()
}

/// Runs what waits for a disk where it may.
#[expect(clippy::disallowed_methods, reason = "it works on paths that have the tenant in them already")]
pub(super) async fn blocking<T: Send + 'static>(f: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(f).await.map_err(io::Error::other)?
}

/// How much content a file has.
pub(super) fn content_len(metadata: &Metadata) -> u64 {
    metadata.len().saturating_sub(TRAILER_LEN as u64)
}

/// Whether a file is one that is being written, or whose writer is gone.
fn is_part(path: &str) -> bool {
    let staged = path.rsplit_once('#').map(|(_, number)| number);
    staged.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn sweep(path: &Path, metadata: &Metadata, age_max: Duration) {
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    if age.is_none_or(|age| age < age_max) {
        return;
    }
    match fs::remove_file(path) {
        Ok(()) => tracing::info!(path = %path.display(), "an upload that was cut off long ago is removed"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "an upload that was cut off cannot be removed"),
    }
}

fn foreign(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{path} is no upload: somebody else has put it there"))
}

fn create_private(path: &Path, above: bool) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.recursive(above).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What stands behind the content of every file; then comes its content type, and line ends up to a fixed length, so that a
/// listing knows how long a file's content is.
///
/// In front of the content, it would move that off the boundaries of pages, and a file would take a third longer to reach
/// the disk.
const TRAILER: &str = "\ntenantry upload 1\n";
const TRAILER_LEN: usize = 128;
/// How long a content type may be, to fit in there with a line end after it.
pub(super) const CONTENT_TYPE_MAX: usize = TRAILER_LEN - TRAILER.len() - 1;
