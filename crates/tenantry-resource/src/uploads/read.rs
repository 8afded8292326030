//! The way of bytes out of a store.

use std::{
    fmt,
    fs::File,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{Attribute, GetOptions, GetRange, GetResult, path::Path};
use tenantry_core::{Scope, Slug, TenantId};

use super::{
    ObjectName, Stored, UploadError,
    backend::Backend,
    folder::{Folder, blocking, read_content},
    handle::{OCTETS, Shared},
};
use crate::BoxError;

/// An object, or a part of it, that is being read: a stream of its bytes.
pub struct Download {
    /// What it is of.
    pub stored: Stored,
    /// Which bytes of it come.
    pub range: Range<u64>,
    tenant: Slug,
    body: BoxStream<'static, Result<Bytes, BoxError>>,
}

impl Stream for Download {
    type Item = Result<Bytes, UploadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.body.poll_next_unpin(cx);
        next.map(|next| next.map(|bytes| bytes.map_err(|error| UploadError::store(&self.tenant, error))))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("stored", &self.stored).field("range", &self.range).finish_non_exhaustive()
    }
}

/// How much of an object is wanted.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    All,
    Head,
    Part(Range<u64>),
}

/// Opens an object of the scope's tenant.
pub(super) async fn get(
    shared: Arc<Shared>,
    scope: Scope,
    name: ObjectName,
    wanted: Wanted,
) -> Result<Option<Download>, UploadError> {
    open(&shared, scope.id(), scope.slug(), name, wanted).await
}

/// Opens an object of a tenant.
pub(super) async fn open(
    shared: &Shared,
    tenant: TenantId,
    slug: &Slug,
    name: ObjectName,
    wanted: Wanted,
) -> Result<Option<Download>, UploadError> {
    let failed = |error: BoxError| UploadError::store(slug, error);
    let backend = shared.backend().await.map_err(failed)?;
    let path = backend.path(tenant, name.key()).map_err(failed)?;
    let opened = match backend.folder.clone() {
        Some(folder) => from_folder(folder, path, name, wanted).await,
        None => from_store(&backend, path, name, wanted).await,
    };
    let opened = opened.map_err(failed)?;
    Ok(opened.map(|(stored, range, body)| Download { stored, range, tenant: slug.clone(), body }))
}

type Opened = Option<(Stored, Range<u64>, BoxStream<'static, Result<Bytes, BoxError>>)>;

async fn from_folder(folder: Folder, path: Path, name: ObjectName, wanted: Wanted) -> Result<Opened, BoxError> {
    let Some(opened) = blocking(move || folder.read(path.as_ref())).await? else { return Ok(None) };
    let (bytes, modified) = (opened.content_len(), opened.metadata.modified()?);
    let range = match wanted {
        Wanted::All => 0..bytes,
        Wanted::Head => 0..0,
        Wanted::Part(range) => clamped(&range, bytes),
    };
    let stored = Stored { name, bytes, content_type: opened.content_type, modified };
    Ok(Some((stored, range.clone(), content(opened.file, range))))
}

/// The content of a file, block by block.
fn content(file: File, range: Range<u64>) -> BoxStream<'static, Result<Bytes, BoxError>> {
    let next = |(mut file, range): (File, Range<u64>)| async move {
        let left = range.end.saturating_sub(range.start);
        if left == 0 {
            return Ok(None);
        }
        let max = usize::try_from(left).map_or(BLOCK_BYTES, |left| left.min(BLOCK_BYTES));
        let read = move || {
            let bytes = read_content(&mut file, range.start, max)?;
            // The file was whole when it was opened, and is replaced, never changed.
            let short = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            if bytes.is_empty() { Err(short()) } else { Ok((bytes, file)) }
        };
        let (bytes, file) = blocking(read).await?;
        let start = range.start + bytes.len() as u64;
        Ok::<_, BoxError>(Some((bytes, (file, start..range.end))))
    };
    futures_util::stream::try_unfold((file, range), next).boxed()
}

async fn from_store(backend: &Backend, path: Path, name: ObjectName, wanted: Wanted) -> Result<Opened, BoxError> {
    let mut options = GetOptions::default();
    match wanted {
        Wanted::All => {}
        Wanted::Head => options.head = true,
        Wanted::Part(range) => {
            // Stores refuse a range that has nothing in it.
            let Some(bytes) = backend.size(&path).await? else { return Ok(None) };
            match clamped(&range, bytes) {
                range if range.is_empty() => options.head = true,
                range => options.range = Some(GetRange::Bounded(range)),
            }
        }
    }
    let head = options.head;
    match backend.store.get_opts(&path, options).await {
        Ok(result) => {
            let range = if head { 0..0 } else { result.range.clone() };
            let stored = stored(&result, name);
            let body = if head { futures_util::stream::empty().boxed() } else { result.into_stream() };
            Ok(Some((stored, range, body.map_err(BoxError::from).boxed())))
        }
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn stored(result: &GetResult, name: ObjectName) -> Stored {
    let content_type = result.attributes.get(&Attribute::ContentType).map_or(OCTETS, |value| value.as_ref());
    Stored {
        name,
        bytes: result.meta.size,
        content_type: content_type.to_owned(),
        modified: result.meta.last_modified.into(),
    }
}

/// What there is of a range.
fn clamped(range: &Range<u64>, bytes: u64) -> Range<u64> {
    let end = range.end.min(bytes);
    range.start.min(end)..end
}

/// What is read at once: large enough that the thread it is read in costs next to nothing.
const BLOCK_BYTES: usize = 256 << 10;
