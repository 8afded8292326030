//! Uploads: files of each tenant, in a folder or a bucket.
//!
//! 1. Everything of a tenant lies below `<place>/<tenant id>/`, and nothing else does: it can be counted and removed.
//! 2. A name ([`ObjectName`]) cannot leave that place, and two names never are one file, on whichever file system.
//! 3. Bytes flow: neither an upload nor a download is ever in memory as a whole.
//! 4. A plan's `upload_bytes_max` holds while bytes come in, over all uploads of the tenant that are under way. What
//!    replaces an object counts as the difference.
//! 5. An object is there as a whole or not at all. What is cut off (an error, a dropped future, a full disk) is removed
//!    at once; what a killed process leaves behind does not count, and is swept when it is
//!    [`Options::parts_max_age`] old. In a bucket, a lifecycle rule has to do that: `AbortIncompleteMultipartUpload`.
//! 6. Files in the folder are readable by their owner only, and on disk before `put` answers. Symbolic links in it are
//!    not followed. A file has 128 bytes behind its content that say what type it is.
//!
//! **Several processes.** How much a tenant has stored is counted by listing when it is first asked for, kept up by this
//! process, and counted again when it is [`Options::usage_max_age`] old, which is when the uploads of other processes are
//! noticed. So with *n* processes, a tenant can have stored up to *n* times what it had left, at the worst.
//!
//! **Serving them.** What a user has uploaded comes from the tenant's own origin: shown as a page, it could act as whoever
//! looks at it. [`Stored::headers`] are headers that make browsers save it instead.
//!
//! ```no_run
//! # async fn example(uploads: tenantry_resource::uploads::Uploads) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use bytes::Bytes;
//! use futures_util::stream;
//!
//! // Within a request. In an axum handler, the body is `request.into_body().into_data_stream()`.
//! let name = "invoices/May.pdf".parse()?;
//! let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"%PDF-"))]);
//! uploads.put(&name, Some("application/pdf"), body).await?;
//!
//! // A link that is good for an hour, at this tenant. The download's headers and `axum::body::Body::from_stream` of its
//! // body make a response.
//! let token = uploads.link(&name, Duration::from_secs(3600))?;
//! if let Some(download) = uploads.open_link(&token).await? {
//!     for (name, value) in download.stored.headers() {
//!         println!("{name}: {value}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | |
//! |---|---|
//! | `account` | what a tenant has stored, and what its uploads under way have reserved |
//! | `backend` | an opened place |
//! | `copy` | all uploads of a tenant become another one's |
//! | `error` | why something is not stored, or not to be had |
//! | `folder` | what a local folder needs that others do not |
//! | `handle` | [`Uploads`], which an application stores and reads them by |
//! | `headers` | with what a browser is sent an upload |
//! | `key` | how a name is written as a file's |
//! | `name` | which names there can be |
//! | `place` | where uploads are, as a URL says it |
//! | `plane` | uploads, as what looks after a tenant's life sees them |
//! | `portable` | uploads that are given out and taken in elsewhere |
//! | `read`, `write` | the two ways that bytes go |
//! | `remove` | one upload is removed, or all of a tenant |

mod account;
mod backend;
mod copy;
mod error;
mod folder;
mod handle;
mod headers;
mod key;
mod name;
mod place;
mod plane;
mod portable;
mod read;
mod remove;
mod write;

pub use self::{
    account::Usage,
    error::UploadError,
    handle::{Options, Stored, Uploads},
    name::{ObjectName, ObjectNameError},
    place::{Bucket, Place, PlaceError},
    read::Download,
};
