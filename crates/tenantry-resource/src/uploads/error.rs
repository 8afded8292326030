//! Why something is not stored, or not to be had.

use std::{error::Error, io, time::Duration};

use http_body_util::LengthLimitError;
use tenantry_core::{Code, Refusal, Slug};
use thiserror::Error;

use super::ObjectNameError;
use crate::{BoxError, NoScope, TokenError};

/// Why an upload is not stored, or not to be had. Nothing was changed, and nothing is left behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UploadError {
    /// What was to be uploaded ended with an error. When that is a limit on the request's body, the refusal says so.
    #[error("the upload for tenant {tenant} was cut off; it has to be sent again")]
    Body {
        /// Whose upload.
        tenant: Slug,
        /// What the body said.
        #[source]
        source: BoxError,
    },
    /// The content type is not one.
    #[error("a content type is like \"image/png\", in at most {max} characters of ASCII")]
    ContentType {
        /// The longest one.
        max: usize,
    },
    /// The disk is full.
    #[error("the disk with the uploads is full, so nothing was stored for tenant {tenant}; make room")]
    DiskFull {
        /// Whose upload.
        tenant: Slug,
    },
    /// The token of a link is not accepted.
    #[error("the link is not valid: {0}")]
    Link(TokenError),
    /// A text is no name.
    #[error(transparent)]
    Name(#[from] ObjectNameError),
    /// The caller works for no tenant.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// The tenant has stored as much as its plan allows.
    #[error(
        "tenant {tenant} has {used} bytes stored or under way, and with more it would have more than {max}, which is plans.<name>.upload_bytes_max"
    )]
    Quota {
        /// Whose upload.
        tenant: Slug,
        /// What it has stored, and what its uploads under way have sent.
        used: u64,
        /// [`tenantry_core::Limits::upload_bytes_max`].
        max: u64,
    },
    /// The upload is larger than an upload may be.
    #[error("an upload of tenant {tenant} is larger than {max} bytes, which is uploads.object_bytes_max")]
    TooLarge {
        /// Whose upload.
        tenant: Slug,
        /// [`super::Options::object_bytes_max`].
        max: u64,
    },
    /// The folder or the bucket cannot be used.
    #[error("the uploads of {tenant} cannot be reached: {source}")]
    Unavailable {
        /// Whose uploads.
        tenant: String,
        /// Why not.
        source: BoxError,
    },
}

impl UploadError {
    /// The error of a store, while it worked for `tenant`.
    pub(super) fn store(tenant: &Slug, error: impl Into<BoxError>) -> Self {
        let source = error.into();
        match is_full(&*source) {
            true => Self::DiskFull { tenant: tenant.clone() },
            false => Self::Unavailable { tenant: format!("tenant {tenant}"), source },
        }
    }
}

impl From<UploadError> for Refusal {
    fn from(error: UploadError) -> Self {
        let text = error.to_string();
        match error {
            UploadError::NoScope(error) | UploadError::Link(TokenError::NoScope(error)) => error.into(),
            UploadError::Body { tenant, source } if is_over_a_limit(&*source) => {
                Self::new(Code::BodyTooLarge).for_tenant(tenant).because(TOO_LARGE)
            }
            UploadError::Body { tenant, .. } => {
                Self::new(Code::RequestMalformed).for_tenant(tenant).because("the upload was cut off")
            }
            UploadError::ContentType { .. } => {
                Self::new(Code::RequestMalformed).because("the upload's content type is not one")
            }
            UploadError::Link(_) => Self::new(Code::LinkInvalid).because(text),
            UploadError::Name(_) => Self::new(Code::UploadNameInvalid).because(text),
            UploadError::Quota { tenant, .. } | UploadError::TooLarge { tenant, .. } => {
                Self::new(Code::QuotaExceeded).for_tenant(tenant).because(text)
            }
            UploadError::DiskFull { tenant } => Self::new(Code::UploadsUnavailable).for_tenant(tenant).because(text),
            UploadError::Unavailable { .. } => {
                Self::new(Code::UploadsUnavailable).because(text).retry_after(RETRY_AFTER)
            }
        }
    }
}

/// Whether the error comes from a full disk, or from a limit on files.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let kinds = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
    chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).any(|error| kinds.contains(&error.kind()))
}

/// Whether the body was cut off by a limit on it: the plan's, or one of the application's own.
fn is_over_a_limit(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| error.is::<LengthLimitError>())
}

/// An error with its causes.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// What an operator is told who would look at the plan alone.
const TOO_LARGE: &str =
    "the upload was cut off by a limit on the body of requests, the plan's or the application's own";

/// A store that is restarted is back in some seconds.
const RETRY_AFTER: Duration = Duration::from_secs(5);
