//! The last bytes of an archive: SHA-256 of all before them, in a frame that zstd skips.

use std::{
    error::Error,
    fmt,
    io::{self, Read, Write},
};

use sha2::{Digest, Sha256};

/// A frame that is skipped (RFC 8878 §3.1.2), of 40 bytes, which begin with a word of ours.
const BEGINNING: [u8; 16] = *b"\x5e\x2a\x4d\x18\x28\0\0\0tenantry";

/// How long it is.
const SEAL: usize = BEGINNING.len() + 32;

/// Hashes what is written, and writes the seal after it.
#[derive(Debug)]
pub(super) struct Seal<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Seal<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, hash: Sha256::new() }
    }

    /// Writes the seal.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&BEGINNING)?;
        self.to.write_all(&self.hash.finalize())?;
        self.to.flush()?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Seal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads all that comes before the seal, and at its end looks whether it is the right one.
#[derive(Debug)]
pub(super) struct Unseal<R> {
    from: R,
    hash: Sha256,
    /// What was read and not given out: what comes last may be the seal.
    held: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Unseal<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, hash: Sha256::new(), held: Vec::with_capacity(2 * BUFFER), given: 0, ended: false }
    }

    /// Reads until there is more than what may be the seal.
    fn fill(&mut self) -> io::Result<()> {
        while !self.ended && self.held.len() - self.given <= SEAL {
            self.held.drain(..self.given);
            self.given = 0;
            let before = self.held.len();
            self.held.resize(before + BUFFER, 0);
            let read = loop {
                match self.from.read(self.held.get_mut(before..).unwrap_or_default()) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            self.held.truncate(before + read.as_ref().copied().unwrap_or(0));
            self.ended = read.map_err(|error| io::Error::other(Unreadable(error)))? == 0;
        }
        Ok(())
    }

    fn check(&mut self) -> io::Result<()> {
        let seal = self.held.get(self.given..).unwrap_or_default();
        match seal.split_at_checked(BEGINNING.len()) {
            Some((beginning, hash)) if beginning == BEGINNING => {
                let is_right = hash == self.hash.clone().finalize().as_slice();
                if is_right { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, Unsealed::Changed)) }
            }
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, Unsealed::CutOff)),
        }
    }
}

impl<R: Read> Read for Unseal<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let free = (self.held.len() - self.given).saturating_sub(SEAL).min(into.len());
        if free == 0 {
            return if into.is_empty() { Ok(0) } else { self.check().map(|()| 0) };
        }
        let bytes = self.held.get(self.given..self.given + free).unwrap_or_default();
        into.get_mut(..free).unwrap_or_default().copy_from_slice(bytes);
        self.hash.update(bytes);
        self.given += free;
        Ok(free)
    }
}

/// What is read fails by itself, which is no fault of the archive.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) io::Error);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unreadable {}

/// Why the seal is not the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsealed {
    Changed,
    CutOff,
}

impl fmt::Display for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "its last bytes do not fit what is before them",
            Self::CutOff => "its last bytes are missing",
        })
    }
}

impl Error for Unsealed {}

const BUFFER: usize = 128 << 10;
