//! What is in a file.

use std::io::Read;

use super::{ArchiveError, ReadLimits, Summary, unpack::unpack};

/// Reads an archive from its beginning to its end, looks whether all of it is what was written, and says what is in it. It
/// waits for the file: in a server, call it on a thread that may wait.
///
/// # Errors
///
/// [`ArchiveError`] says what is wrong with it.
pub fn inspect(from: impl Read, limits: &ReadLimits) -> Result<Summary, ArchiveError> {
    unpack(from, limits, &mut |_| Ok(()))
}
