//! The way of bytes into a store.

use std::{pin::pin, sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use object_store::{Attribute, Attributes, PutMultipartOptions, PutOptions, PutPayloadMut, WriteMultipart, path::Path};
use tenantry_core::{Count, Scope, Slug};

use super::{
    ObjectName, Stored, UploadError,
    account::{Full, Reservation},
    backend::Backend,
    folder::{CONTENT_TYPE_MAX, trailer},
    handle::Shared,
};
use crate::{BoxError, within};

/// Stores what `body` yields.
pub(super) async fn put<S, E>(
    shared: Arc<Shared>,
    scope: Scope,
    name: ObjectName,
    content_type: String,
    body: S,
) -> Result<Stored, UploadError>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<BoxError>,
{
    let slug = scope.slug().clone();
    let failed = |error: BoxError| UploadError::store(&slug, error);
    check_content_type(&content_type)?;
    let max = scope.limits().upload_bytes_max;
    let backend = shared.backend().await.map_err(failed)?;
    let account = match max {
        Some(_) => shared.counted(scope.id()).await.map_err(failed)?.0,
        None => shared.accounts.of(scope.id()),
    };
    let path = backend.path(scope.id(), name.key()).map_err(failed)?;
    let mut writing = Writing::new(backend, path, &content_type).map_err(failed)?;
    let mut reservation = Reservation::new(account, max);
    let sent = receive(&shared, &slug, &mut writing, &mut reservation, body).await;
    if let Err(error) = sent {
        writing.abort().await;
        return Err(error);
    }
    let bytes = reservation.bytes();
    commit(scope.clone(), writing, reservation).await?;
    scope.usage().add(Count::BytesUploaded, bytes);
    Ok(Stored { name, bytes, content_type, modified: SystemTime::now() })
}

/// Takes what the body yields, for as long as it fits.
async fn receive<S, E>(
    shared: &Shared,
    slug: &Slug,
    writing: &mut Writing,
    reservation: &mut Reservation,
    body: S,
) -> Result<(), UploadError>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<BoxError>,
{
    let mut body = pin!(body);
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|error| UploadError::Body { tenant: slug.clone(), source: error.into() })?;
        let len = bytes.len() as u64;
        if let Some(max) = shared.options.object_bytes_max.filter(|max| reservation.bytes().saturating_add(len) > *max)
        {
            return Err(UploadError::TooLarge { tenant: slug.clone(), max });
        }
        if reservation.take(len).is_err() {
            // What it replaces is looked up only where that makes a difference.
            if !reservation.knows_replaced() {
                let replaced = writing.backend.size(&writing.path).await;
                reservation.replaces(replaced.map_err(|error| UploadError::store(slug, error))?.unwrap_or(0));
            }
            reservation.take(len).map_err(|full| quota(slug, full))?;
        }
        writing.push(bytes).await.map_err(|error| UploadError::store(slug, error))?;
    }
    Ok(())
}

/// Puts the object in its place. From here on it is done to the end, also when nobody waits for it any more, so that what is
/// stored and what is counted are the same.
#[expect(clippy::disallowed_methods, reason = "it has the scope of the call, not of whoever polls it")]
async fn commit(scope: Scope, writing: Writing, mut reservation: Reservation) -> Result<(), UploadError> {
    let slug = scope.slug().clone();
    let tenant = slug.clone();
    let task = async move {
        let account = Arc::clone(reservation.account());
        let _settling = account.settling.read().await;
        let _turn = account.turn(writing.path.as_ref()).await;
        let replaced = match writing.backend.size(&writing.path).await {
            Ok(replaced) => replaced,
            Err(error) => {
                writing.abort().await;
                return Err(UploadError::store(&tenant, error));
            }
        };
        if let Err(full) = reservation.check(replaced) {
            writing.abort().await;
            return Err(quota(&tenant, full));
        }
        match writing.finish().await {
            Ok(()) => {
                reservation.settle(replaced);
                Ok(())
            }
            Err(error) => {
                account.unknown();
                Err(UploadError::store(&tenant, error))
            }
        }
    };
    tokio::spawn(within(scope, task)).await.map_err(|error| UploadError::store(&slug, error))?
}

/// An object that is being written. When it is dropped, nothing of it stays.
#[derive(Debug)]
pub(super) struct Writing {
    backend: Arc<Backend>,
    path: Path,
    attributes: Attributes,
    /// What comes after all else.
    trailer: Option<Bytes>,
    /// What has come so far, as long as it is less than a part.
    first: PutPayloadMut,
    parts: Option<WriteMultipart>,
}

impl Writing {
    pub(super) fn new(backend: Arc<Backend>, path: Path, content_type: &str) -> Result<Self, BoxError> {
        let mut writing = Self {
            backend,
            path,
            attributes: Attributes::new(),
            trailer: None,
            first: PutPayloadMut::new(),
            parts: None,
        };
        match writing.backend.folder.clone() {
            Some(folder) => {
                // Looks at three names, which takes less than a thread that waits for them; `object_store` opens files so.
                let path = writing.path.as_ref();
                folder.prepare(path.split('/').next().unwrap_or_default(), path)?;
                writing.trailer = Some(trailer(content_type));
            }
            None => {
                writing.attributes.insert(Attribute::ContentType, content_type.to_owned().into());
            }
        }
        Ok(writing)
    }

    pub(super) async fn push(&mut self, bytes: Bytes) -> Result<(), BoxError> {
        if self.parts.is_none() && self.first.content_length() + bytes.len() > self.backend.part_bytes {
            self.start_parts().await?;
        }
        match &mut self.parts {
            Some(parts) => {
                parts.wait_for_capacity(PARTS_UNDER_WAY).await?;
                append(parts, bytes);
            }
            // Small pieces are put together: each would keep the buffer alive that it was read into.
            None if bytes.len() < COPIED_BELOW => self.first.extend_from_slice(&bytes),
            None => self.first.push(bytes),
        }
        Ok(())
    }

    async fn start_parts(&mut self) -> Result<(), BoxError> {
        let options = PutMultipartOptions { attributes: self.attributes.clone(), ..Default::default() };
        let upload = self.backend.store.put_multipart_opts(&self.path, options).await?;
        let parts = self.parts.insert(WriteMultipart::new_with_chunk_size(upload, self.backend.part_bytes));
        for bytes in std::mem::take(&mut self.first).freeze() {
            append(parts, bytes);
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<(), BoxError> {
        if let Some(trailer) = self.trailer.take() {
            match &mut self.parts {
                Some(parts) => parts.write(&trailer),
                None => self.first.push(trailer),
            }
        }
        match self.parts.take() {
            Some(parts) => drop(parts.finish().await?),
            None => {
                let options = PutOptions { attributes: self.attributes.clone(), ..Default::default() };
                let payload = std::mem::take(&mut self.first).freeze();
                self.backend.store.put_opts(&self.path, payload, options).await?;
            }
        }
        if let Some(folder) = self.backend.folder.clone() {
            // It is there now; and its folder is its owner's only.
            if let Err(error) = folder.make_private(self.path.as_ref()) {
                tracing::warn!(%error, path = %self.path, "the permissions of an upload cannot be set");
            }
        }
        Ok(())
    }

    /// Removes what was written, and waits for it.
    pub(super) async fn abort(mut self) {
        if let Some(parts) = self.parts.take() {
            abort(parts).await;
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        // Without a runtime, nothing that is left of a process can ask a server for anything.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(abort(parts));
        }
    }
}

async fn abort(parts: WriteMultipart) {
    if let Err(error) = parts.abort().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the parts of an upload that was cut off are left over"
        );
    }
}

fn append(parts: &mut WriteMultipart, bytes: Bytes) {
    if bytes.len() < COPIED_BELOW { parts.write(&bytes) } else { parts.put(bytes) }
}

fn quota(slug: &Slug, Full { used, max }: Full) -> UploadError {
    UploadError::Quota { tenant: slug.clone(), used, max }
}

/// Whether it is one (RFC 9110 §8.3.1), as far as is needed for it to be a header's value.
pub(super) fn check_content_type(text: &str) -> Result<(), UploadError> {
    let fits = text.len() <= CONTENT_TYPE_MAX && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let is_type = essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    if fits && is_type { Ok(()) } else { Err(UploadError::ContentType { max: CONTENT_TYPE_MAX }) }
}

/// One part is read while another is written.
const PARTS_UNDER_WAY: usize = 2;
const COPIED_BELOW: usize = 4096;
