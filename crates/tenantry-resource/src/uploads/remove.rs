//! Removing: one object, or all of a tenant.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use tenantry_core::{Scope, TenantId};

use super::{
    ObjectName, UploadError, Usage,
    backend::Backend,
    folder::{blocking, content_len},
    handle::Shared,
};
use crate::{BoxError, within};

/// Removes an object, and says whether there was one. It is done to the end, also when nobody waits for it any more.
#[expect(clippy::disallowed_methods, reason = "it has the scope of the call, not of whoever polls it")]
pub(super) async fn delete(shared: Arc<Shared>, scope: Scope, name: ObjectName) -> Result<bool, UploadError> {
    let (slug, tenant) = (scope.slug().clone(), scope.id());
    let task = async move {
        let backend = shared.backend().await?;
        let account = shared.accounts.of(tenant);
        let path = backend.path(tenant, name.key())?;
        let _settling = account.settling.read().await;
        let _turn = account.turn(path.as_ref()).await;
        let Some(bytes) = backend.size(&path).await? else { return Ok(false) };
        match backend.delete(&path).await {
            Ok(()) => account.removed(bytes),
            Err(error) => {
                account.unknown();
                return Err(error);
            }
        }
        Ok::<_, BoxError>(true)
    };
    let done = tokio::spawn(within(scope, task)).await.map_err(BoxError::from).flatten();
    done.map_err(|error| UploadError::store(&slug, error))
}

/// Removes every object of the tenant that is in its place, and says what that was.
pub(super) async fn clear(shared: &Shared, tenant: TenantId) -> Result<Usage, BoxError> {
    let backend = shared.backend().await?;
    let account = shared.accounts.of(tenant);
    let _settling = account.settling.write().await;
    // Whatever happens now, what was counted before is not true any more.
    account.unknown();
    let removed = if backend.folder.is_some() {
        clear_folder(&backend, tenant).await?
    } else {
        clear_store(&backend, tenant).await?
    };
    account.counted(Usage::default());
    Ok(removed)
}

/// Removes whatever there is of the tenant, also what was never finished, and forgets it.
pub(super) async fn forget(shared: &Shared, tenant: TenantId) -> Result<Usage, BoxError> {
    let removed = clear(shared, tenant).await?;
    if let Some(folder) = shared.backend().await?.folder.clone() {
        blocking(move || folder.remove(&tenant.to_string())).await?;
    }
    shared.accounts.forget(tenant);
    Ok(removed)
}

async fn clear_folder(backend: &Backend, tenant: TenantId) -> Result<Usage, BoxError> {
    let Some(folder) = backend.folder.clone() else { return Ok(Usage::default()) };
    let clear = move || {
        let mut removed = Usage::default();
        for file in folder.files(&tenant.to_string(), Duration::MAX) {
            let file = file?;
            folder.delete(&file.path)?;
            removed.add(content_len(&file.metadata));
        }
        Ok(removed)
    };
    Ok(blocking(clear).await?)
}

async fn clear_store(backend: &Backend, tenant: TenantId) -> Result<Usage, BoxError> {
    let mut removed = Usage::default();
    let mut paths = Vec::<Path>::new();
    let mut listed = backend.list(tenant, None);
    while let Some(object) = listed.try_next().await? {
        paths.push(backend.path(tenant, &object.key)?);
        removed.add(object.bytes);
    }
    let paths = futures_util::stream::iter(paths.into_iter().map(Ok)).boxed();
    backend.store.delete_stream(paths).try_for_each(|_| std::future::ready(Ok(()))).await?;
    Ok(removed)
}
