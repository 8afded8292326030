//! Uploads that are given out and taken in elsewhere, for tenants that need not be admitted.
//!
//! No quota holds: who imports a tenant decides how much it has. What is stored is counted anew afterwards.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use tenantry_core::{BoxFuture, Chunks, GivenUpload, GivesUploads, PlaneError, PortableUploads, Tenant, UploadHead};

use super::{
    Download, ObjectName, UploadError, Uploads,
    backend::Listed,
    handle::Shared,
    read::{self, Wanted},
    write::{Writing, check_content_type},
};
use crate::BoxError;

/// What this plane is called.
const UPLOADS: &str = "uploads";

impl PortableUploads for Uploads {
    fn give<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Box<dyn GivesUploads>, PlaneError>> {
        Box::pin(async move {
            let shared = Arc::clone(self.shared());
            let backend = shared.backend().await.map_err(|error| PlaneError::new(UPLOADS, tenant, error))?;
            let listed = backend.list(tenant.id, None);
            Ok(Box::new(Giving { shared, tenant: tenant.clone(), listed }) as Box<dyn GivesUploads>)
        })
    }

    fn take<'a>(
        &'a self,
        tenant: &'a Tenant,
        head: &'a UploadHead,
        body: &'a mut dyn Chunks,
    ) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move {
            let taken = take(self.shared(), tenant, head, body).await;
            taken.map_err(|error| PlaneError::new(UPLOADS, tenant, error))
        })
    }
}

/// Uploads that are given out.
struct Giving {
    shared: Arc<Shared>,
    tenant: Tenant,
    listed: BoxStream<'static, Result<Listed, BoxError>>,
}

impl GivesUploads for Giving {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<GivenUpload>, PlaneError>> {
        Box::pin(async {
            let next = self.next_there().await;
            next.map_err(|error| PlaneError::new(UPLOADS, &self.tenant, error))
        })
    }
}

impl Giving {
    /// The next one that is there: some may be gone since they were listed, and what no upload has made is passed over.
    async fn next_there(&mut self) -> Result<Option<GivenUpload>, BoxError> {
        while let Some(listed) = self.listed.try_next().await? {
            let Some(name) = ObjectName::from_key(&listed.key) else { continue };
            let opened = read::open(&self.shared, self.tenant.id, &self.tenant.slug, name, Wanted::All).await?;
            let Some(download) = opened else { continue };
            let head = UploadHead {
                name: download.stored.name.as_str().to_owned(),
                content_type: download.stored.content_type.clone(),
                bytes: download.stored.bytes,
            };
            return Ok(Some(GivenUpload { head, body: Box::new(Content(download)) }));
        }
        Ok(None)
    }
}

/// The content of an upload.
struct Content(Download);

impl Chunks for Content {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoxError>> {
        Box::pin(async { Ok(self.0.next().await.transpose()?.map(Vec::from)) })
    }
}

async fn take(shared: &Shared, tenant: &Tenant, head: &UploadHead, body: &mut dyn Chunks) -> Result<(), BoxError> {
    let name: ObjectName = head.name.parse()?;
    check_content_type(&head.content_type)?;
    let backend = shared.backend().await?;
    let path = backend.path(tenant.id, name.key())?;
    let mut writing = Writing::new(backend, path, &head.content_type)?;
    if let Err(error) = receive(tenant, head, body, &mut writing).await {
        writing.abort().await;
        return Err(error);
    }
    let account = shared.accounts.of(tenant.id);
    let _settling = account.settling.read().await;
    let finished = writing.finish().await;
    account.unknown();
    finished.map_err(|error| UploadError::store(&tenant.slug, error).into())
}

/// Writes what the body yields, if it is exactly as much as it was said to be.
async fn receive(
    tenant: &Tenant,
    head: &UploadHead,
    body: &mut dyn Chunks,
    writing: &mut Writing,
) -> Result<(), BoxError> {
    let mut left = head.bytes;
    while let Some(piece) = body.next().await? {
        left = left.checked_sub(piece.len() as u64).ok_or(Length { bytes: head.bytes })?;
        let pushed = writing.push(Bytes::from(piece)).await;
        pushed.map_err(|error| UploadError::store(&tenant.slug, error))?;
    }
    if left == 0 { Ok(()) } else { Err(Length { bytes: head.bytes }.into()) }
}

/// An upload is not as long as it was said to be.
#[derive(Debug)]
struct Length {
    bytes: u64,
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an upload has not the {} bytes that it was said to have", self.bytes)
    }
}

impl std::error::Error for Length {}
