//! Members out of bytes. Whoever has made an archive may mean ill: nothing in it is believed before it was looked at, and
//! nothing is taken for as large as it says that it is.

use std::io::{self, BufReader, Read};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tenantry_core::{Overrides, RowsPart, UploadHead};
use zstd::Decoder;

use super::{
    ArchiveError, Header, Summary,
    checks::{CHECKED, Checks},
    member::Member,
    seal::{Unreadable, Unseal, Unsealed},
};

/// What an archive may ask for when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadLimits {
    /// How large the header and the settings may be, each; 16 MiB by default.
    pub header_bytes_max: u64,
    /// How large a member with rows may be, which is in memory as a whole; 256 MiB by default. An export makes one larger
    /// than a megabyte only for a row that is.
    pub rows_bytes_max: u64,
    /// How large all members may be together; 1 TiB by default. It is what a small file can become at the most.
    pub unpacked_bytes_max: u64,
    /// How many uploads there may be; 100 million by default.
    pub uploads_max: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            header_bytes_max: 16 << 20,
            rows_bytes_max: 256 << 20,
            unpacked_bytes_max: 1 << 40,
            uploads_max: 100_000_000,
        }
    }
}

/// What was read.
#[derive(Debug)]
pub(super) enum Event {
    Header(Header),
    Settings(Overrides),
    Rows(RowsPart),
    Upload(UploadHead),
    /// Some of the content of the upload.
    Bytes(Vec<u8>),
    /// All of it has come.
    UploadEnd,
}

/// Who is told what was read. Who does not want to hear more says why.
pub(super) type Told<'a> = dyn FnMut(Event) -> Result<(), ArchiveError> + 'a;

/// Reads an archive to its end, and answers only when all of it is what the manifest says. Until then, what is told may be
/// anything.
pub(super) fn unpack(from: impl Read, limits: &ReadLimits, told: &mut Told<'_>) -> Result<Summary, ArchiveError> {
    let mut from = BufReader::new(Unseal::new(from));
    check_is_zstd(&mut from)?;
    let mut decoder = Decoder::with_buffer(from).map_err(failed)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(failed)?;
    let mut archive = tar::Archive::new(decoder);
    let mut unpack = Unpack {
        limits,
        checks: Checks::default(),
        last: None,
        summary: None,
        is_checked: false,
        upload_bytes: 0,
        unpacked: 0,
    };
    for entry in archive.entries().map_err(failed)?.raw(true) {
        unpack.entry(&mut entry.map_err(failed)?, told)?;
    }
    // Of the two blocks of zeros that end a tar file, one has been read.
    let mut rest = Vec::new();
    archive.into_inner().take(REST_MAX).read_to_end(&mut rest).map_err(failed)?;
    match unpack {
        Unpack { last: Some(Member::Manifest), summary: Some(summary), unpacked, .. } if rest == [0; 512] => {
            Ok(Summary { unpacked_bytes: unpacked, ..summary })
        }
        Unpack { last: Some(Member::Manifest), .. } => {
            Err(ArchiveError::broken("it does not end where its manifest does"))
        }
        _ => Err(ArchiveError::CutOff),
    }
}

struct Unpack<'a> {
    limits: &'a ReadLimits,
    checks: Checks,
    /// The last member that was none of checks.
    last: Option<Member>,
    summary: Option<Summary>,
    /// Whether checks have come that are not of as many members as there can be: the last ones.
    is_checked: bool,
    /// How large the upload is that comes next.
    upload_bytes: u64,
    unpacked: u64,
}

impl Unpack<'_> {
    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>, told: &mut Told<'_>) -> Result<(), ArchiveError> {
        let member = self.member(entry)?;
        let bytes =
            entry.header().entry_size().map_err(|_| ArchiveError::broken(format!("the size of {member} is none")))?;
        self.unpacked = self.unpacked.saturating_add(bytes);
        over(
            "members that are too large together",
            "unpacked_bytes_max",
            self.unpacked,
            self.limits.unpacked_bytes_max,
        )?;
        match member {
            Member::Header => {
                let header = Header::from_json(&self.whole(entry, member, bytes)?)?;
                self.summary = Some(Summary::new(header.clone()));
                told(Event::Header(header))?;
            }
            Member::Settings => told(Event::Settings(settings(&self.whole(entry, member, bytes)?)?))?,
            Member::Rows { table, .. } => {
                let lines = self.whole(entry, member, bytes)?;
                told(Event::Rows(self.rows(table, lines)?))?;
            }
            Member::UploadHead(number) => {
                over("too many uploads", "uploads_max", number.saturating_add(1), self.limits.uploads_max)?;
                let head = upload_head(&self.whole(entry, member, bytes)?)?;
                told(Event::Upload(head.clone()))?;
                self.upload(head.bytes);
            }
            Member::UploadBody(_) => {
                self.body(entry, member, bytes, told)?;
                told(Event::UploadEnd)?;
            }
            Member::Checks(_) => {
                let expected = self.checks.text();
                self.same(entry, member, bytes, &expected)?;
            }
            Member::Manifest => {
                let expected = self.summary.as_ref().map(|summary| self.checks.manifest(summary)).unwrap_or_default();
                self.same(entry, member, bytes, &expected)?;
            }
        }
        Ok(())
    }

    /// Which member comes, if it is one that may come now.
    fn member(&mut self, entry: &tar::Entry<'_, impl Read>) -> Result<Member, ArchiveError> {
        let name = entry.path_bytes();
        let shown = || String::from_utf8_lossy(&name).chars().take(80).collect::<String>();
        let member = std::str::from_utf8(&name).ok().and_then(Member::named);
        let Some(member) = member.filter(|_| entry.header().entry_type() == tar::EntryType::Regular) else {
            return Err(ArchiveError::broken(format!("an archive has no member {:?}", shown())));
        };
        let may_come = match member {
            // Each takes memory, so there are as many as there have to be.
            Member::Checks(_) => {
                self.checks.pending() > 0
                    && member == self.checks.next()
                    && !matches!(self.last, Some(Member::UploadHead(_) | Member::Manifest))
            }
            // All that comes before is in checks.
            Member::Manifest => self.checks.pending() == 0 && member.may_follow(self.last),
            _ if self.is_checked => false,
            Member::UploadBody(_) => member.may_follow(self.last),
            _ => self.checks.pending() < CHECKED && member.may_follow(self.last),
        };
        if !may_come {
            return Err(ArchiveError::broken(format!("{member} is not where it belongs")));
        }
        match member {
            Member::Checks(_) => self.is_checked = self.checks.pending() < CHECKED,
            _ => self.last = Some(member),
        }
        Ok(member)
    }

    /// A member that is needed as a whole.
    fn whole(&mut self, entry: &mut impl Read, member: Member, bytes: u64) -> Result<Vec<u8>, ArchiveError> {
        match member {
            Member::Rows { .. } => {
                over("rows that are too large", "rows_bytes_max", bytes, self.limits.rows_bytes_max)?
            }
            _ => over("a header that is too large", "header_bytes_max", bytes, self.limits.header_bytes_max)?,
        }
        // As much memory as has come, not as much as is said to come.
        let mut content = Vec::new();
        let read = entry.take(bytes).read_to_end(&mut content).map_err(failed)?;
        if read as u64 != bytes {
            return Err(ArchiveError::CutOff);
        }
        let mut hash = Sha256::new();
        hash.update(&content);
        self.checks.add(member, bytes, hash);
        Ok(content)
    }

    /// A member of which it is known what must be in it.
    fn same(&mut self, entry: &mut impl Read, member: Member, bytes: u64, expected: &str) -> Result<(), ArchiveError> {
        if bytes == expected.len() as u64 && self.whole(entry, member, bytes)? == expected.as_bytes() {
            return Ok(());
        }
        Err(ArchiveError::broken(format!("{member} does not fit what comes before it")))
    }

    fn rows(&mut self, table: usize, lines: Vec<u8>) -> Result<RowsPart, ArchiveError> {
        let rows = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        let there = self.summary.as_mut().and_then(|summary| summary.rows.get_mut(table));
        let Some(there) = there.filter(|_| lines.last() == Some(&b'\n')) else {
            return Err(ArchiveError::broken(format!("rows of table {table} are none")));
        };
        *there = there.saturating_add(rows);
        Ok(RowsPart { table, rows, lines })
    }

    fn upload(&mut self, bytes: u64) {
        self.upload_bytes = bytes;
        if let Some(summary) = &mut self.summary {
            summary.uploads += 1;
            summary.upload_bytes = summary.upload_bytes.saturating_add(bytes);
        }
    }

    fn body(
        &mut self,
        entry: &mut impl Read,
        member: Member,
        bytes: u64,
        told: &mut Told<'_>,
    ) -> Result<(), ArchiveError> {
        if bytes != self.upload_bytes {
            return Err(ArchiveError::broken(format!("{member} is not as large as it was said to be")));
        }
        let (mut hash, mut left) = (Sha256::new(), bytes);
        while left > 0 {
            let mut piece = Vec::new();
            let read = entry.take(left.min(PIECE)).read_to_end(&mut piece).map_err(failed)? as u64;
            if read == 0 {
                return Err(ArchiveError::CutOff);
            }
            hash.update(&piece);
            left -= read;
            told(Event::Bytes(piece))?;
        }
        self.checks.add(member, bytes, hash);
        Ok(())
    }
}

fn settings(text: &[u8]) -> Result<Overrides, ArchiveError> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    Overrides::from_json(text).map_err(|why| ArchiveError::broken(format!("its settings are none: {why}")))
}

fn upload_head(text: &[u8]) -> Result<UploadHead, ArchiveError> {
    #[derive(Deserialize)]
    struct Written {
        name: String,
        content_type: String,
        bytes: u64,
    }
    let written: Result<Written, _> = serde_json::from_slice(text);
    let Written { name, content_type, bytes } =
        written.map_err(|error| ArchiveError::broken(format!("the head of an upload is none: {error}")))?;
    Ok(UploadHead { name, content_type, bytes })
}

fn check_is_zstd(from: &mut impl io::BufRead) -> Result<(), ArchiveError> {
    let first = from.fill_buf().map_err(|error| match failed(error) {
        // What is shorter than a seal is not one that was cut off.
        ArchiveError::CutOff => ArchiveError::NotAnArchive,
        error => error,
    })?;
    if first.starts_with(ZSTD) { Ok(()) } else { Err(ArchiveError::NotAnArchive) }
}

fn over(what: &'static str, limit: &'static str, has: u64, max: u64) -> Result<(), ArchiveError> {
    if has > max { Err(ArchiveError::Limit { what, limit, max }) } else { Ok(()) }
}

/// What it means that reading has failed.
fn failed(error: io::Error) -> ArchiveError {
    match error.get_ref() {
        Some(inner) if inner.is::<Unreadable>() => ArchiveError::Read(error),
        Some(inner) if inner.downcast_ref() == Some(&Unsealed::CutOff) => ArchiveError::CutOff,
        _ if error.kind() == io::ErrorKind::UnexpectedEof => ArchiveError::CutOff,
        _ => ArchiveError::broken(error.to_string()),
    }
}

const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// As much memory as unpacking may take: 8 MiB. Archives are made with less.
const WINDOW_LOG_MAX: u32 = 23;

/// More than may come after the last member.
const REST_MAX: u64 = 1024;

/// So much of an upload is passed on at once.
const PIECE: u64 = 256 << 10;
