//! Which members there are, and what they hash to.
//!
//! The same is kept by who writes an archive and by who reads it, and both write it down in the same way: so it is compared
//! as text, and never parsed.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Summary, member::Member};

/// After so many members they are written down.
pub(super) const CHECKED: usize = 1_000;

/// The members so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Those that have not been written down yet.
    since: Vec<Check>,
    /// Those in which others are.
    written: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    member: String,
    bytes: u64,
    sha256: String,
}

#[derive(Serialize)]
struct Manifest<'a> {
    checks: &'a [Check],
    tables: Vec<OfTable<'a>>,
    uploads: u64,
    upload_bytes: u64,
}

#[derive(Serialize)]
struct OfTable<'a> {
    table: &'a str,
    rows: u64,
}

impl Checks {
    /// A member has ended.
    pub(super) fn add(&mut self, member: Member, bytes: u64, hash: Sha256) {
        let check = Check { member: member.to_string(), bytes, sha256: hex(&hash.finalize()) };
        match member {
            Member::Checks(_) => {
                self.since.clear();
                self.written.push(check);
            }
            _ => self.since.push(check),
        }
    }

    /// How many have not been written down yet.
    pub(super) fn pending(&self) -> usize {
        self.since.len()
    }

    /// The member that they are written into.
    pub(super) fn next(&self) -> Member {
        Member::Checks(self.written.len() as u64)
    }

    /// What is in it.
    pub(super) fn text(&self) -> String {
        let lines = self.since.iter().map(|check| line(check) + "\n");
        lines.collect()
    }

    /// What is in the manifest.
    pub(super) fn manifest(&self, summary: &Summary) -> String {
        let tables = summary.header.schema.tables.iter().zip(&summary.rows);
        line(&Manifest {
            checks: &self.written,
            tables: tables.map(|(table, rows)| OfTable { table: &table.name, rows: *rows }).collect(),
            uploads: summary.uploads,
            upload_bytes: summary.upload_bytes,
        })
    }
}

/// There is nothing in it that JSON has no form for.
fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
