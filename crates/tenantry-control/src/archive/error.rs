//! Why an archive is not written, or not read.

use std::io;

use tenantry_core::{BoxError, Code, PlaneError, Slug};
use thiserror::Error;

/// Why an archive was not written, or not read. Of a file nothing is left then, and of a tenant nothing is seen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It is not what was written.
    #[error("the archive is damaged or was changed: {0}; take another copy of it")]
    Broken(String),
    /// It ends too early.
    #[error("the archive is cut off; take another copy of it")]
    CutOff,
    /// It asks for more than it may.
    #[error("the archive has {what}, and {limit} = {max} is the most; raise it if you trust the archive")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit's name.
        limit: &'static str,
        /// The limit.
        max: u64,
    },
    /// It was made by a later version.
    #[error(
        "the archive has format {version}, and this version reads up to {known}; use that of tenantry {product}, or newer"
    )]
    Newer {
        /// Its format.
        version: u64,
        /// The latest that is known.
        known: u64,
        /// Which version has made it.
        product: String,
    },
    /// It has uploads, and there is no place for them.
    #[error("the archive has uploads, and this deployment has no place for them; configure [uploads]")]
    NoUploads,
    /// It is none.
    #[error("this is no archive of a tenant")]
    NotAnArchive,
    /// A place of the tenant's data fails, or does not fit.
    #[error(transparent)]
    Plane(#[from] PlaneError),
    /// The tenant is not being prepared: it could be served while it is incomplete.
    #[error("tenant {0} is not being prepared; import into a new one")]
    Ready(Slug),
    /// The file or pipe cannot be read.
    #[error("the archive cannot be read: {0}")]
    Read(#[source] io::Error),
    /// Settings cannot be given out or taken in.
    #[error("the settings of {tenant}: {source}")]
    Settings {
        /// The tenant.
        tenant: Slug,
        /// Why.
        source: BoxError,
    },
    /// It was asked to stop.
    #[error("it was stopped")]
    Stopped,
    /// An upload ends before, or after, it was said to.
    #[error("the upload {name} has not the {bytes} bytes that it is said to have; try again")]
    Upload {
        /// Its name.
        name: String,
        /// How many it was to have.
        bytes: u64,
    },
    /// An upload cannot be read.
    #[error("the upload {name} cannot be read: {source}")]
    UploadUnread {
        /// Its name.
        name: String,
        /// Why.
        source: BoxError,
    },
    /// The file or pipe cannot be written.
    #[error("the archive cannot be written: {}", written(.0))]
    Write(#[source] io::Error),
}

/// What can be done about it, where that is clear.
fn written(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("{error}; make room, or name another folder")
        }
        io::ErrorKind::BrokenPipe => format!("{error}: whoever read it has gone"),
        io::ErrorKind::WouldBlock => "another export writes to the same file".to_owned(),
        _ => error.to_string(),
    }
}

impl ArchiveError {
    /// The code of the refusal that this is: whether it is the archive, or what was to be done with it.
    pub const fn code(&self) -> Code {
        match self {
            Self::Broken(_)
            | Self::CutOff
            | Self::Limit { .. }
            | Self::Newer { .. }
            | Self::NoUploads
            | Self::NotAnArchive
            | Self::Settings { .. } => Code::ArchiveInvalid,
            Self::Plane(_)
            | Self::Ready(_)
            | Self::Read(_)
            | Self::Stopped
            | Self::Upload { .. }
            | Self::UploadUnread { .. }
            | Self::Write(_) => Code::OperationFailed,
        }
    }

    pub(super) fn broken(what: impl Into<String>) -> Self {
        Self::Broken(what.into())
    }

    /// A task of ours has ended in a panic, or with the runtime.
    pub(super) fn ended(error: tokio::task::JoinError) -> Self {
        Self::Write(io::Error::other(error))
    }
}
