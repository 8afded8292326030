//! Master keys in a file: one per line, for its owner only, replaced as a whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;
use zeroize::Zeroizing;

use super::{MasterKeys, MasterKeysError, NoRandomness, master::new_key_text};

pub(super) fn load_or_create(path: &Path) -> Result<MasterKeys, KeyFileError> {
    match load(path) {
        Err(KeyFileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        loaded => return loaded,
    }
    let text = Zeroizing::new(format!("{HEADER}{}\n", *new_key_text()?));
    match write(path, &text, Existing::Keep) {
        // Another process was first: its key is the one.
        Err(KeyFileError::Write { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
        written => written?,
    }
    load(path)
}

pub(super) fn rotate(path: &Path) -> Result<MasterKeys, KeyFileError> {
    let old = read(path)?;
    keys_of(path, &old)?;
    let key = new_key_text()?;
    // The new key goes before the first key and not before the first line, which is a comment.
    let at = lines(&old).next().map_or(0, |(_, line)| line.as_ptr().addr() - old.as_ptr().addr());
    let (above, below) = old.split_at(at);
    write(path, &Zeroizing::new(format!("{above}{}\n{below}", *key)), Existing::Replace)?;
    load(path)
}

pub(super) fn retire(path: &Path) -> Result<MasterKeys, KeyFileError> {
    let old = read(path)?;
    keys_of(path, &old)?;
    let first = lines(&old).next().map(|(number, _)| number);
    let kept = old.lines().zip(1..).filter(|(line, number)| is_comment(line) || Some(*number) == first);
    let text: String = kept.flat_map(|(line, _)| [line, "\n"]).collect();
    write(path, &Zeroizing::new(text), Existing::Replace)?;
    load(path)
}

/// Why a file of master keys cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file holds something else than keys.
    #[error("the key file {} is damaged; restore it from a backup, for what its keys made is lost without them", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: MasterKeysError,
    },
    /// Others than the owner may read the file.
    #[error("the key file {0} may be read by others (mode {mode:03o}); run `chmod 600 {0}`", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is no new key.
    #[error("no new key can be made")]
    Generate(#[from] NoRandomness),
    /// The file cannot be read.
    #[error("the key file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the key file {} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[derive(Clone, Copy)]
enum Existing {
    Keep,
    Replace,
}

fn load(path: &Path) -> Result<MasterKeys, KeyFileError> {
    keys_of(path, &read(path)?)
}

fn keys_of(path: &Path, text: &str) -> Result<MasterKeys, KeyFileError> {
    MasterKeys::from_entries(lines(text)).map_err(|source| KeyFileError::Damaged { path: path.to_owned(), source })
}

/// The lines that hold keys, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().zip(1..).filter(|(line, _)| !is_comment(line));
    numbered.map(|(line, number)| (number, line.trim()))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // The permissions of the file that was opened, not of whatever has its name by now.
    check_private(path, &file.metadata().map_err(failed)?)?;
    let mut text = Zeroizing::new(String::new());
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(read).is_ok_and(|read| read > FILE_BYTES_MAX) {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large to be a key file")));
    }
    Ok(text)
}

#[cfg(unix)]
fn check_private(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

/// Writes a whole new file beside the old one (mode 0600 from the start, as `tempfile` has it) and moves it there in
/// one step, so that nobody ever reads half a file.
fn write(path: &Path, text: &str, existing: Existing) -> Result<(), KeyFileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        let mut new = tempfile::Builder::new().prefix(".tenantry-keys-").tempfile_in(folder)?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        match existing {
            Existing::Keep => new.persist_noclobber(path)?,
            Existing::Replace => new.persist(path)?,
        };
        sync_folder(folder)
    };
    written().map_err(|source| KeyFileError::Write { path: path.to_owned(), source })
}

/// Makes the file's name as durable as its bytes.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

const HEADER: &str = "\
# The master keys of this deployment, one per line. The first one seals, all of them verify.
# Keep this file secret, and keep a copy of it: without it, every session and every signed link ends.
";
/// Room for hundreds of keys; whoever names another file by mistake does not load it into memory.
const FILE_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, thread};

    use super::*;

    const KEY_A: &str = "3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=";
    const KEY_B: &str = "bA9AqZ1fI8lpbv0iP3CwF0OQy2yHmvO3d0rTj5JvJ9k=";

    fn file_with(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn ids(keys: &MasterKeys) -> Vec<String> {
        keys.ids().map(|id| id.to_string()).collect()
    }

    #[test]
    fn the_first_start_creates_a_private_file_and_the_second_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let created = load_or_create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(mode_of(&path), 0o600);
        assert_eq!(ids(&load_or_create(&path).unwrap()), ids(&created));
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "never written to again");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn those_that_start_at_once_end_with_the_same_key() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keys");
            let all: Vec<_> = thread::scope(|threads| {
                let starts: Vec<_> = (0..8).map(|_| threads.spawn(|| ids(&load_or_create(&path).unwrap()))).collect();
                starts.into_iter().map(|start| start.join().unwrap()).collect()
            });
            assert!(all.iter().all(|ids| *ids == all[0]), "{all:?}");
        }
    }

    #[test]
    fn a_file_for_others_is_refused_with_what_to_run() {
        for mode in [0o640, 0o604, 0o666, 0o610] {
            let (_folder, path) = file_with(KEY_A, mode);
            let message = load_or_create(&path).unwrap_err().to_string();
            assert!(message.contains(&format!("mode {mode:03o}")), "{message}");
            assert!(message.ends_with(&format!("run `chmod 600 {}`", path.display())), "{message}");
            assert!(rotate(&path).is_err() && retire(&path).is_err());
        }
    }

    #[test]
    fn a_damaged_file_is_refused_with_the_line_and_without_its_content() {
        let check = |text: &str, expected: MasterKeysError| {
            let (_folder, path) = file_with(text, 0o600);
            for refused in [load_or_create(&path), rotate(&path), retire(&path)] {
                let Err(KeyFileError::Damaged { source, .. }) = refused else { panic!("{text}: {refused:?}") };
                assert_eq!(source, expected, "{text}");
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "left as it was");
        };
        check("", MasterKeysError::Empty);
        check("# nothing\n\n", MasterKeysError::Empty);
        check(&format!("# one\n{KEY_A}\nsecret!\n"), MasterKeysError::NotBase64 { entry: 3 });
        check("c2hvcnQ=\n", MasterKeysError::Length { entry: 1, len: 5 });
        check(&KEY_A[..40], MasterKeysError::Length { entry: 1, len: 30 });
        check(&format!("{}=", "A".repeat(43)), MasterKeysError::Placeholder { entry: 1 });
        check(&format!("{KEY_A},{KEY_B}"), MasterKeysError::NotBase64 { entry: 1 });
    }

    #[test]
    fn a_new_key_goes_on_top_and_the_old_ones_go_away_later() {
        let (_folder, path) = file_with(&format!("# ours\n\n{KEY_A}\n# older\n{KEY_B}"), 0o600);
        let before = ids(&load_or_create(&path).unwrap());
        let rotated = ids(&rotate(&path).unwrap());
        assert_eq!(rotated[1..], before);
        assert!(fs::read_to_string(&path).unwrap().starts_with("# ours\n\n"));
        assert_eq!(ids(&retire(&path).unwrap()), rotated[..1]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 4, "comments stay");
        assert_eq!(mode_of(&path), 0o600);
    }

    #[test]
    fn what_is_no_file_is_an_error_and_not_a_new_key() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(load_or_create(&folder.path().join("none/keys")), Err(KeyFileError::Write { .. })));
        assert!(matches!(rotate(&folder.path().join("keys")), Err(KeyFileError::Read { .. })));
        let (_folder, large) = file_with(&"#".repeat(70_000), 0o600);
        assert!(matches!(load_or_create(&large), Err(KeyFileError::Read { .. })));
    }
}
