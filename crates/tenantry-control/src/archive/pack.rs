//! Members into bytes, on a thread of its own.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use tenantry_core::{RowsPart, UploadHead};
use tokio::{sync::mpsc, task::JoinHandle};
use zstd::Encoder;

use super::{
    ArchiveError, Header, Summary,
    checks::{CHECKED, Checks},
    member::Member,
    seal::Seal,
};

/// What is to be written next.
#[derive(Debug)]
pub(super) enum Command {
    Rows(RowsPart),
    Upload(UploadHead),
    /// Some of the content of the upload.
    Bytes(Vec<u8>),
    /// All of it has come.
    UploadEnd,
    /// So has everything.
    Finish,
}

/// Where commands go, and what becomes of them.
#[derive(Debug)]
pub(super) struct Packing<W> {
    commands: mpsc::Sender<Command>,
    thread: JoinHandle<Result<(W, Summary), ArchiveError>>,
}

/// How many pieces wait to be written.
const WAITING: usize = 4;

impl<W: Write + Send + 'static> Packing<W> {
    /// Begins an archive.
    pub(super) fn begin(to: W, header: Header, settings: String) -> Self {
        let (commands, received) = mpsc::channel(WAITING);
        #[expect(clippy::disallowed_methods, reason = "an archive is written for no request, and needs no scope")]
        let thread = tokio::task::spawn_blocking(move || pack(to, header, &settings, received));
        Self { commands, thread }
    }

    /// Writes something more.
    pub(super) async fn send(&mut self, command: Command) -> Result<(), ArchiveError> {
        match self.commands.send(command).await {
            Ok(()) => Ok(()),
            // It has ended, and says why.
            Err(_) => match (&mut self.thread).await.map_err(ArchiveError::ended)? {
                Err(error) => Err(error),
                Ok(_) => Err(ArchiveError::Stopped),
            },
        }
    }

    /// Ends the archive.
    pub(super) async fn finish(mut self) -> Result<(W, Summary), ArchiveError> {
        self.send(Command::Finish).await?;
        self.thread.await.map_err(ArchiveError::ended)?
    }
}

/// Writes what is received. Who stops sending before the end wants no archive any more.
fn pack<W: Write>(
    to: W,
    header: Header,
    settings: &str,
    mut received: mpsc::Receiver<Command>,
) -> Result<(W, Summary), ArchiveError> {
    let mut pack = Pack::new(to, header).map_err(ArchiveError::Write)?;
    let text = pack.summary.header.to_json();
    pack.member(Member::Header, text.as_bytes()).map_err(ArchiveError::Write)?;
    pack.member(Member::Settings, settings.as_bytes()).map_err(ArchiveError::Write)?;
    let mut last = Member::Settings;
    while let Some(command) = received.blocking_recv() {
        match command {
            Command::Rows(part) => {
                last = match last {
                    Member::Rows { table, part: number } if table == part.table => {
                        Member::Rows { table, part: number + 1 }
                    }
                    _ => Member::Rows { table: part.table, part: 0 },
                };
                pack.rows(last, &part).map_err(ArchiveError::Write)?;
            }
            Command::Upload(head) => pack.begin_upload(&head).map_err(ArchiveError::Write)?,
            Command::Bytes(bytes) => pack.write(&bytes).map_err(ArchiveError::Write)?,
            Command::UploadEnd => pack.end().map_err(ArchiveError::Write)?,
            Command::Finish => return pack.finish().map_err(ArchiveError::Write),
        }
    }
    Err(ArchiveError::Stopped)
}

/// An archive that is being written.
struct Pack<W: Write> {
    to: Encoder<'static, Seal<W>>,
    checks: Checks,
    summary: Summary,
    open: Option<Open>,
}

/// The member that is being written.
struct Open {
    member: Member,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write> Pack<W> {
    fn new(to: W, header: Header) -> io::Result<Self> {
        let mut to = Encoder::new(Seal::new(to), LEVEL)?;
        to.include_checksum(true)?;
        Ok(Self { to, checks: Checks::default(), summary: Summary::new(header), open: None })
    }

    fn rows(&mut self, member: Member, part: &RowsPart) -> io::Result<()> {
        if let Some(rows) = self.summary.rows.get_mut(part.table) {
            *rows += part.rows;
        }
        self.member(member, &part.lines)
    }

    fn begin_upload(&mut self, head: &UploadHead) -> io::Result<()> {
        let number = self.summary.uploads;
        self.summary.uploads += 1;
        self.summary.upload_bytes += head.bytes;
        self.member(Member::UploadHead(number), upload_head(head).as_bytes())?;
        self.begin(Member::UploadBody(number), head.bytes)
    }

    /// Writes a member as a whole.
    fn member(&mut self, member: Member, content: &[u8]) -> io::Result<()> {
        if self.checks.pending() >= CHECKED {
            self.write_checks()?;
        }
        self.begin(member, content.len() as u64)?;
        self.write(content)?;
        self.end()
    }

    fn write_checks(&mut self) -> io::Result<()> {
        let (member, text) = (self.checks.next(), self.checks.text());
        self.begin(member, text.len() as u64)?;
        self.write(text.as_bytes())?;
        self.end()
    }

    fn begin(&mut self, member: Member, bytes: u64) -> io::Result<()> {
        self.to.write_all(head(member, bytes)?.as_bytes())?;
        self.open = Some(Open { member, bytes: 0, hash: Sha256::new() });
        Ok(())
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        if let Some(open) = &mut self.open {
            open.bytes += content.len() as u64;
            open.hash.update(content);
        }
        self.to.write_all(content)
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(Open { member, bytes, hash }) = self.open.take() else { return Ok(()) };
        self.to.write_all(padding(bytes))?;
        self.summary.unpacked_bytes += bytes;
        self.checks.add(member, bytes, hash);
        Ok(())
    }

    fn finish(mut self) -> io::Result<(W, Summary)> {
        self.write_checks()?;
        let manifest = self.checks.manifest(&self.summary);
        self.begin(Member::Manifest, manifest.len() as u64)?;
        self.write(manifest.as_bytes())?;
        self.end()?;
        self.to.write_all(&[0; 2 * BLOCK])?;
        let to = self.to.finish()?.finish()?;
        Ok((to, self.summary))
    }
}

/// What comes before an upload.
pub(super) fn upload_head(head: &UploadHead) -> String {
    serde_json::json!({ "name": head.name, "content_type": head.content_type, "bytes": head.bytes }).to_string()
}

/// What tar has before a member.
fn head(member: Member, bytes: u64) -> io::Result<tar::Header> {
    let mut head = tar::Header::new_ustar();
    head.set_path(member.to_string())?;
    head.set_size(bytes);
    head.set_mode(0o600);
    head.set_entry_type(tar::EntryType::Regular);
    head.set_cksum();
    Ok(head)
}

/// What tar has after one.
fn padding(bytes: u64) -> &'static [u8] {
    let over = usize::try_from(bytes % BLOCK as u64).unwrap_or(0);
    ZEROS.get(..(BLOCK - over) % BLOCK).unwrap_or_default()
}

const BLOCK: usize = 512;
const ZEROS: &[u8] = &[0; BLOCK];

/// As zstd itself has it by default: higher ones take longer than a database takes to give out rows.
const LEVEL: i32 = 3;
