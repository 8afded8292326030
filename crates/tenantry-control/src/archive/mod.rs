//! A tenant in one file: export, import, and a look inside.
//!
//! An archive is a tar file, compressed with zstd, so that every tool can open it (`tar --zstd -xf`). Its members come in
//! this order, and no others do:
//!
//! | member | what it has |
//! |---|---|
//! | `header.json` | the version of the format, the product's, who the tenant was, its tables and columns, how far ids were given out |
//! | `settings.json` | what was set for the tenant itself |
//! | `rows/0000/000000.jsonl` | rows of the first table, a line each; then `000001.jsonl`, and so on; `rows/0001/…` is the second |
//! | `uploads/000000000.json` | name, type and size of the first upload |
//! | `uploads/000000000` | its content |
//! | `checks/000000.jsonl` | SHA-256 and size of each member before it, up to the one before that; after every 1,000 members |
//! | `manifest.json` | SHA-256 and size of each of these, how many rows each table has, and how many uploads there are |
//!
//! Behind the compressed bytes are 48 more, which zstd skips: SHA-256 of all before them. So no byte of an archive can
//! change unnoticed. That is against accidents: who can write an archive can write another one that is whole. What an
//! archive can do is bounded, whoever made it ([`ReadLimits`]), and its lines are read as values, never as SQL.
//!
//! 1. **One moment.** Rows are those of one moment. Uploads come after them: one that is replaced, added or removed while
//!    the export runs comes as it was or as it is then, never as a mixture. Who wants both of one moment suspends the tenant.
//! 2. **Flat memory.** Nothing is in memory but a few pieces of a megabyte, or one row where that is larger.
//! 3. **All or nothing.** A file has its name when it is whole and on disk; of one that fails nothing is left. Rows are the
//!    tenant's when everything has been read and is what the manifest says.
//! 4. **Secrets** among the settings are left out, and the header names them, unless there is a passphrase. Keys of the
//!    deployment never leave it.
//! 5. **Elsewhere.** An archive of another version of the product is read if it is of a format that is known, and if its
//!    tables and columns fit; else the error lists what does not.
//! 6. **Again.** An import that was killed is begun again, and removes first what the former one has left.
//!
//! | module | |
//! |---|---|
//! | `check` | whether a file could become a tenant |
//! | `checks` | which members there are, and what they hash to |
//! | `error` | why an archive is not written, or not read |
//! | `export` | a tenant becomes a file |
//! | `header` | the first member |
//! | `import` | a file becomes a tenant |
//! | `inspect` | what is in a file |
//! | `member` | what members are called, and which comes after which |
//! | `pack`, `unpack` | members into bytes, and out of them |
//! | `partial` | a file that is not whole yet |
//! | `seal` | the last bytes |

mod check;
mod checks;
mod error;
mod export;
mod header;
mod import;
mod inspect;
mod member;
mod pack;
mod partial;
mod seal;
mod unpack;

use std::{fmt, ops::ControlFlow, sync::Arc};

use tenantry_core::{Passphrase, PortableRows, PortableSettings, PortableUploads};

pub(crate) use self::export::export_if;
pub use self::{
    check::check,
    error::ArchiveError,
    export::{export, export_to},
    header::{FORMAT_VERSION, Header, Origin},
    import::{Imported, import},
    inspect::inspect,
    unpack::ReadLimits,
};

/// Where a tenant's data is.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// Its rows.
    pub rows: &'a dyn PortableRows,
    /// Its uploads, where there are any.
    pub uploads: Option<&'a dyn PortableUploads>,
    /// Its settings; without this, none are in an archive, and those in one are not taken.
    pub settings: Option<&'a dyn PortableSettings>,
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// The same for a whole deployment.
#[derive(Clone)]
pub struct Portable {
    /// The rows.
    pub rows: Arc<dyn PortableRows>,
    /// The uploads, where there is a place for them.
    pub uploads: Option<Arc<dyn PortableUploads>>,
    /// The settings.
    pub settings: Option<Arc<dyn PortableSettings>>,
}

impl Portable {
    /// What an export or import of one tenant is told.
    pub fn parts(&self) -> Parts<'_> {
        Parts { rows: &*self.rows, uploads: self.uploads.as_deref(), settings: self.settings.as_deref() }
    }
}

impl fmt::Debug for Portable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portable").finish_non_exhaustive()
    }
}

/// How an archive is written or read.
#[derive(Default)]
pub struct Options<'a> {
    /// What secrets are encrypted with; without it they are left out.
    pub secrets: Option<Passphrase>,
    /// What an archive may ask for when it is read.
    pub limits: ReadLimits,
    progress: Option<Box<Told<'a>>>,
}

type Told<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + Send + 'a;

impl<'a> Options<'a> {
    /// Tells now and then how far it is. The answer says whether to go on.
    #[must_use]
    pub fn on_progress(mut self, told: impl FnMut(&Progress) -> ControlFlow<()> + Send + 'a) -> Self {
        self.progress = Some(Box::new(told));
        self
    }

    fn told(&mut self, progress: &Progress) -> Result<(), ArchiveError> {
        match self.progress.as_mut().map(|told| told(progress)) {
            Some(ControlFlow::Break(())) => Err(ArchiveError::Stopped),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// How far an export or an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows.
    pub rows: u64,
    /// Uploads.
    pub uploads: u64,
    /// The content of those.
    pub upload_bytes: u64,
}

/// What is in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Its first member.
    pub header: Header,
    /// How many rows each table has, in the header's order.
    pub rows: Vec<u64>,
    /// How many uploads there are.
    pub uploads: u64,
    /// The content of those.
    pub upload_bytes: u64,
    /// How large all members are.
    pub unpacked_bytes: u64,
}

impl Summary {
    fn new(header: Header) -> Self {
        let rows = vec![0; header.schema.tables.len()];
        Self { header, rows, uploads: 0, upload_bytes: 0, unpacked_bytes: 0 }
    }
}
