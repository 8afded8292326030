//! Copying: all objects of a tenant become another one's.

use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::ObjectStoreExt;
use tenantry_core::{Listener, TenantId};

use super::{
    Usage,
    backend::{Backend, Listed},
    folder::blocking,
    handle::Shared,
    remove,
};
use crate::BoxError;

/// Makes what `to` has stored a copy of what `from` has, and says what that is.
pub(super) async fn copy(
    shared: &Shared,
    from: TenantId,
    to: TenantId,
    listener: &Listener,
) -> Result<Usage, BoxError> {
    remove::forget(shared, to).await?;
    let backend = shared.backend().await?;
    let copied = backend.list(from, None).map_ok(|listed| copy_one(Arc::clone(&backend), from, to, listed));
    let mut copied = copied.try_buffer_unordered(AT_ONCE);
    let mut usage = Usage::default();
    while let Some(bytes) = copied.try_next().await? {
        if let Some(bytes) = bytes {
            usage.add(bytes);
            listener.done(1);
        }
    }
    // Whatever was counted meanwhile.
    shared.accounts.of(to).unknown();
    Ok(usage)
}

/// Copies an object, and says how large it is; nothing when it was removed meanwhile.
async fn copy_one(
    backend: Arc<Backend>,
    from: TenantId,
    to: TenantId,
    listed: Listed,
) -> Result<Option<u64>, BoxError> {
    let (source, target) = (backend.path(from, &listed.key)?, backend.path(to, &listed.key)?);
    if let Some(folder) = backend.folder.clone() {
        return Ok(blocking(move || folder.copy(source.as_ref(), target.as_ref())).await?);
    }
    match backend.store.copy(&source, &target).await {
        Ok(()) => Ok(Some(listed.bytes)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How many objects are copied at the same time.
const AT_ONCE: usize = 8;
